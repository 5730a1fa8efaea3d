const CONFIDENCE = 0.95;
/** Halves the interval so often that a double has no more digits to gain. */
const STEPS = 60;

/**
 * The share of failures that is not exceeded, at 95 % confidence, when `failures` of `requests` failed: Clopper and Pearson's one-sided
 * bound. No failure of 29,956 is 1 in 10,000 at most.
 */
export function failureBound(failures: number, requests: number): number {
  if (failures >= requests) {
    return 1;
  }
  let [low, high] = [0, 1];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (atMost(failures, requests, middle) > 1 - CONFIDENCE) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** How likely it is that so few requests fail, or fewer, when each fails with probability p. In logarithms, or the first terms vanish. */
function atMost(failures: number, requests: number, p: number): number {
  let logTerm = requests * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let i = 0; i < failures; i += 1) {
    logTerm += Math.log((requests - i) / (i + 1)) + Math.log(p / (1 - p));
    sum += Math.exp(logTerm);
  }
  return sum;
}

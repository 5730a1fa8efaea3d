/** Natural logarithms of factorials up to n. */
function logFactorials(n: number): Float64Array {
  const logs = new Float64Array(n + 1);
  for (let i = 2; i <= n; i += 1) {
    logs[i] = (logs[i - 1] as number) + Math.log(i);
  }
  return logs;
}

/**
 * The share of failures that is not exceeded, at 95 % confidence, when `failures` of `requests` failed: Clopper and Pearson's one-sided
 * bound. No failure of 29,957 is 1 in 10,000 at most.
 */
export function failureBound(failures: number, requests: number): number {
  if (failures >= requests) {
    return 1;
  }
  const log = logFactorials(requests) as Float64Array & Record<number, number>;
  /** How likely so few failures are, when each request fails with probability p. */
  const likelihood = (p: number) => {
    let sum = 0;
    for (let i = 0; i <= failures; i += 1) {
      const ways = (log[requests] as number) - (log[i] as number) - (log[requests - i] as number);
      sum += Math.exp(ways + i * Math.log(p) + (requests - i) * Math.log1p(-p));
    }
    return sum;
  };
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (likelihood(middle) > 0.05) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** Newton's method is there after a handful; more do no harm. */
const STEPS = 12;
/** Keeps weights finite where a feature tells all. */
const RIDGE = 1;

/**
 * Logistic regression over standardised features.
 *
 * @param rows to learn from
 * @returns what gives a row its score: the logarithm of the odds.
 */
export function fitLogistic(
  rows: readonly { readonly features: readonly number[]; readonly fraud: boolean }[],
): (features: readonly number[]) => number {
  const width = rows[0]?.features.length ?? 0;
  const scale = Array.from({ length: width }, (_, i) =>
    scaleOf(rows.map(({ features }) => features[i] ?? 0)),
  );
  const standard = (features: readonly number[]) => [
    1,
    ...features.map((value, i) => (value - (scale[i]?.mean ?? 0)) / (scale[i]?.deviation ?? 1)),
  ];
  const inputs = rows.map(({ features }) => standard(features));
  let weights = new Array<number>(width + 1).fill(0);
  for (let step = 0; step < STEPS; step++) {
    weights = add(weights, newtonStep(inputs, rows, weights));
  }
  return (features) => dot(weights, standard(features));
}

function newtonStep(
  inputs: readonly (readonly number[])[],
  rows: readonly { readonly fraud: boolean }[],
  weights: readonly number[],
): number[] {
  const size = weights.length;
  const gradient = weights.map((weight) => -RIDGE * weight);
  const curvature = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j): number => (i === j ? RIDGE : 0)),
  );
  inputs.forEach((input, row) => {
    const chance = 1 / (1 + Math.exp(-dot(weights, input)));
    const error = Number(rows[row]?.fraud) - chance;
    for (let i = 0; i < size; i++) {
      gradient[i] = (gradient[i] ?? 0) + error * (input[i] ?? 0);
      const line = curvature[i] ?? [];
      for (let j = 0; j < size; j++) {
        line[j] = (line[j] ?? 0) + chance * (1 - chance) * (input[i] ?? 0) * (input[j] ?? 0);
      }
    }
  });
  return solve(curvature, gradient);
}

/** Gauss-Jordan; the matrix is positive definite, so no pivot is zero. */
function solve(matrix: number[][], right: readonly number[]): number[] {
  const rows = matrix.map((line, i) => [...line, right[i] ?? 0]);
  rows.forEach((line, i) => {
    const pivot = line[i] ?? 1;
    for (const other of rows) {
      if (other !== line) {
        const factor = (other[i] ?? 0) / pivot;
        other.forEach((value, j) => {
          other[j] = value - factor * (line[j] ?? 0);
        });
      }
    }
  });
  return rows.map((line, i) => (line.at(-1) ?? 0) / (line[i] ?? 1));
}

function scaleOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + (b[i] ?? 0));
}

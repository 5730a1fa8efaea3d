/** The row of a statement that always gives one. */
export function one<T>(rows: readonly T[]): T {
  const row = rows[0];
  if (row === undefined) {
    throw new Error("a statement gave no row where there must be one");
  }
  return row;
}

/**
 * Servers for files that run side by side. A file has a stack for itself while it runs, so it may kill servers, alarm a broker
 * and change roles: no other file sees it. scripts/test.sh starts them, and names them in TEST_STACKS: a line of JSON each, the
 * settings that `scripts/stack.sh env` gives. Without it there is one, in the environment.
 */
export const stacks: readonly Readonly<Record<string, string>>[] = (process.env["TEST_STACKS"] ?? "")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));

/** Points the environment at one of them. */
export function useStack(stack: Readonly<Record<string, string>> | undefined): void {
  Object.assign(process.env, stack);
}

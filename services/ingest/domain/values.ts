import type { Values } from "./rule.js";

/** What texts stand for. */
export interface Lookup<T> {
  get(text: string): T | undefined;
}

/**
 * Compiles lists of values to a map: `{yes: "a|b/c, d*"}` gives `yes` for `a/c`, `b/c` and whatever begins with `d`. A value in full
 * goes before the longest prefix.
 */
export function lookupOf<T>(entries: Iterable<readonly [T, Values]>): Lookup<T> {
  const whole = new Map<string, T>();
  const prefixes: (readonly [string, T])[] = [];
  for (const [meaning, values] of entries) {
    for (const value of values.toLowerCase().split(", ").flatMap(alternatives)) {
      if (value.endsWith("*")) {
        prefixes.push([value.slice(0, -1), meaning]);
      } else {
        whole.set(value, meaning);
      }
    }
  }
  prefixes.sort(([a], [b]) => b.length - a.length);
  return {
    get(text) {
      const value = text.trim().toLowerCase();
      return whole.get(value) ?? prefixes.find(([prefix]) => value.startsWith(prefix))?.[1];
    },
  };
}

/** `a|b/c` stands for `a/c` and `b/c`. */
function alternatives(value: string): string[] {
  return value
    .split("/")
    .reduce<string[]>(
      (begun, part, index) =>
        begun.flatMap((begin) => part.split("|").map((each) => (index === 0 ? each : `${begin}/${each}`))),
      [""],
    );
}

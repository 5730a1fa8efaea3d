/** Paths and texts come again and again; what has so many is no list of a provider's. */
const MAX_KEPT = 10_000;

/** A function of texts that computes each once. */
export function remembered<T>(compute: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>();
  return (text) => {
    const before = kept.get(text);
    if (before !== undefined) {
      return before;
    }
    const made = compute(text);
    if (kept.size < MAX_KEPT) {
      kept.set(text, made);
    }
    return made;
  };
}

/** `paymentStatus`, `payment_status` and `Payment-Status` are all `payment`, `status`; accents are taken off, digits left out. */
export const wordsOf = remembered(
  (text): readonly string[] =>
    text
      .normalize("NFD")
      .replace(/\p{Mn}/gu, "")
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
      .toLowerCase()
      .match(/[a-z]+/g) ?? [],
);

/** Begins of words, separated by blanks, as a test of a word. */
export function beginning(stems: string): RegExp {
  return new RegExp(`^(?:${stems.trim().split(/\s+/).join("|")})`);
}

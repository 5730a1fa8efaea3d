/** `paymentStatus`, `payment_status` and `Payment-Status` are all `payment`, `status`; accents are taken off, digits left out. */
export function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize("NFD")
      .replace(/\p{Mn}/gu, "")
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
      .toLowerCase()
      .match(/[a-z]+/g) ?? []
  );
}

/** Begins of words, separated by blanks, as a test of a word. */
export function beginning(stems: string): RegExp {
  return new RegExp(`^(?:${stems.trim().split(/\s+/).join("|")})`);
}

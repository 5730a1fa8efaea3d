/** What stands for a character in XML: its number, or one of the names that XML has by itself. */
export const REFERENCE = /&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]{2,4});/g;

/** @param reference as `#52` or `#x34`. @returns undefined where it numbers no character */
export function numberedCharacter(reference: string): string | undefined {
  const code = /^#[xX]/.test(reference)
    ? Number.parseInt(reference.slice(2), 16)
    : Number(reference.slice(1));
  return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
    ? undefined
    : String.fromCodePoint(code);
}

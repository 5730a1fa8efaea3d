/** Turns an error code into a label with few values. */
export type CodeLabel = (code: string) => string;

/** @param own codes that modules define: those stay as they are; SQLSTATEs go by class (about 40), sockets' are NETWORK, else OTHER. */
export function codeLabelOf(own: Iterable<string>): CodeLabel {
  const known = new Set(own);
  return (code) => {
    if (known.has(code)) {
      return code;
    }
    if (/^[0-9A-Z]{5}$/.test(code)) {
      return `SQLSTATE_${code.slice(0, 2)}`;
    }
    return /^E[A-Z_]{3,20}$/.test(code) ? "NETWORK" : "OTHER";
  };
}

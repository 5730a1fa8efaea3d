import { isUtf8 } from "node:buffer";

/** Text that was in base64, and how its bytes were written. */
export interface Decoded {
  readonly text: string;
  readonly charset: "utf8" | "latin1";
}

/** Base64 of either alphabet, whatever blanks and line ends are in it. Bytes that are no UTF-8 are ISO 8859-1, as older gateways write. */
export function decodedBase64(encoded: string): Decoded {
  const bytes = Buffer.from(encoded, "base64");
  const charset = isUtf8(bytes) ? "utf8" : "latin1";
  return { text: bytes.toString(charset), charset };
}

/** In the alphabet of what it was decoded from. */
export function encodedAs(encoded: string, { text, charset }: Decoded): string {
  return Buffer.from(text, charset).toString(/[-_]/.test(encoded) ? "base64url" : "base64");
}

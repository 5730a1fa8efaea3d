/** An answer as far as the generator reads it. */
export interface ReadAnswer {
  readonly status: number;
  /** Code of a problem (RFC 9457); only looked for in refusals. */
  readonly code: string | undefined;
  /** The server ends the connection after it. */
  readonly last: boolean;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const LENGTH = Buffer.from("\r\ncontent-length: ");
const CLOSE = Buffer.from("onnection: close");
const ZERO = 48;

/**
 * Reads the answers of one connection on which one request at a time is under way. As little as can be: three digits of the status,
 * the length, and where both end. @throws Error for what is no such answer: then the connection is of no more use.
 */
export class AnswerReader {
  /** Of an answer that came in pieces. */
  #rest: Buffer | undefined;

  /** @param chunk is not kept. @returns undefined while the answer is not whole. */
  read(chunk: Buffer): ReadAnswer | undefined {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    const whole =
      headEnd < 0 ? Number.POSITIVE_INFINITY : headEnd + HEAD_END.length + lengthOf(bytes, headEnd);
    if (bytes.length < whole) {
      this.#rest = Buffer.from(bytes);
      return undefined;
    }
    if (bytes.length > whole) {
      throw new Error("more came than was asked for");
    }
    this.#rest = undefined;
    const status = statusOf(bytes);
    const code = status < 400 ? undefined : /"code":"(\w+)"/.exec(bytes.toString("latin1", headEnd))?.[1];
    const closeAt = bytes.indexOf(CLOSE);
    return { status, code, last: closeAt >= 0 && closeAt < headEnd };
  }
}

/** HTTP/1.1 201 … */
function statusOf(bytes: Buffer): number {
  const digit = (at: number) => (bytes[at] ?? 0) - ZERO;
  return 100 * digit(9) + 10 * digit(10) + digit(11);
}

function lengthOf(bytes: Buffer, headEnd: number): number {
  const found = bytes.indexOf(LENGTH);
  if (found >= 0 && found < headEnd) {
    let length = 0;
    for (let at = found + LENGTH.length; ; at++) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) {
        return length;
      }
      length = 10 * length + digit;
    }
  }
  // Proxies and other servers spell it as they like.
  const head = bytes.toString("latin1", 0, headEnd);
  const length = /^content-length:\s*(\d+)\s*$/im.exec(head)?.[1];
  if (length === undefined) {
    throw new Error("an answer without a Content-Length");
  }
  return Number(length);
}

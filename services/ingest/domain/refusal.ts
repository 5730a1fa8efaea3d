import type { UnprocessedCode } from "./normalised.js";

/** Why a rule makes nothing of a record: becomes UNPROCESSED with a code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: UnprocessedCode;

  constructor(code: UnprocessedCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

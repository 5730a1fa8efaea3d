import { CoreError } from "../core_errors.js";

/** Whether an endpoint needs an Idempotency-Key: `required` where no field of the body is a business key. */
export type KeyPolicy = "optional" | "required";

/** What a key is looked up by: one of another caller or endpoint is another key. */
export interface IdempotencyKey {
  readonly scope: string;
  readonly key: string;
}

const BARE = /^[\x21\x23-\x7e][\x21-\x7e]{0,254}$/;
/** As the draft of the header has it, a structured field's string. */
const QUOTED = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"$/;

const HINT = "Give 1 to 255 visible ASCII characters, bare or in double quotes, once.";
const FIELD = { in: "header", pointer: "#/idempotency-key" } as const;

/**
 * The key of a request, without quotes; undefined when there is none. Two headers come joined by a comma and a blank, which no
 * key may have.
 *
 * @throws CoreError IDEMPOTENCY_KEY_INVALID
 */
export function readKey(header: unknown, policy: KeyPolicy): string | undefined {
  if (header === undefined) {
    if (policy === "required") {
      throw invalid("The Idempotency-Key is missing.");
    }
    return undefined;
  }
  const text = String(header);
  const key = text.startsWith('"') ? QUOTED.exec(text)?.[1] : BARE.exec(text)?.[0];
  if (key === undefined) {
    throw invalid("The Idempotency-Key is not one key.");
  }
  return key;
}

function invalid(text: string): CoreError {
  return new CoreError("IDEMPOTENCY_KEY_INVALID", text, { hint: HINT, field: FIELD });
}

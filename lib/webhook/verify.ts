import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { CoreError } from "../core_errors.js";
import { digestOf } from "./signature.js";

/** A request that is signed as Standard Webhooks 1.0 has it. */
export interface SignedWebhook {
  /** The same for each try to send it. */
  readonly webhookId: string;
  /** When this try was signed, to the second; another try has another one. */
  readonly signedAt: Date;
}

const [ID, TIMESTAMP, SIGNATURE] = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;
const FIELD = (name: string) => ({ in: "header", pointer: `#/${name}` }) as const;

/** How far the sender's clock may be from ours, in both directions. */
export const TOLERANCE_MS = 300_000;
/** An id with a point would let one body's end become another's beginning. */
const WEBHOOK_ID = /^[!-\-/-~]{1,255}$/;
/** More signatures than one of each secret there is while they change, nobody needs. */
const MAX_SIGNATURES = 10;

/**
 * Checks that one of the keys signed a body, of late. Whether it came before only a caller can know who keeps what came.
 *
 * @param keys of whom the request claims to be from; none: nobody is known by that name, which nothing tells from a wrong key
 * @throws CoreError SIGNATURE_MISSING, SIGNATURE_MALFORMED, SIGNATURE_EXPIRED, SIGNATURE_INVALID
 */
export function verifyWebhook(
  keys: readonly Buffer[],
  headers: IncomingHttpHeaders,
  body: Buffer,
  now = new Date(),
): SignedWebhook {
  const webhookId = headerOf(headers, ID);
  const timestamp = headerOf(headers, TIMESTAMP);
  const signatures = headerOf(headers, SIGNATURE).split(" ");
  requireForm(ID, WEBHOOK_ID.test(webhookId));
  requireForm(TIMESTAMP, /^\d{1,12}$/.test(timestamp));
  requireForm(SIGNATURE, signatures.length <= MAX_SIGNATURES);
  const given = signatures.filter((each) => each.startsWith("v1,")).map((each) => signatureOf(each.slice(3)));
  requireForm(SIGNATURE, given.length > 0);
  const seconds = Number(timestamp);
  if (Math.abs(now.getTime() - seconds * 1_000) > TOLERANCE_MS) {
    throw new CoreError("SIGNATURE_EXPIRED", "The request was signed over 5 minutes ago, or is yet to be.", {
      hint: "Sign each try anew; check the clock.",
      field: FIELD(TIMESTAMP),
    });
  }
  const signedAt = new Date(seconds * 1_000);
  const wanted = keys.map((key) => digestOf({ id: webhookId, body, at: signedAt }, key));
  if (!wanted.some((each) => given.some((signature) => timingSafeEqual(signature, each)))) {
    throw new CoreError("SIGNATURE_INVALID", "No key of the source signed this id, time and body.", {
      field: FIELD(SIGNATURE),
    });
  }
  return { webhookId, signedAt };
}

/** The same request, signature and all, was taken before. */
export const replayed = (): CoreError =>
  new CoreError("SIGNATURE_REPLAYED", "This very request was taken before.", {
    hint: "Sign each try anew, under the same webhook-id.",
    field: FIELD(SIGNATURE),
  });

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  if (value === undefined || value === "") {
    throw new CoreError("SIGNATURE_MISSING", `The request has no ${name}: this takes signed webhooks.`, {
      field: FIELD(name),
    });
  }
  // Node joins what comes twice by a comma, which is in no form.
  return String(value);
}

/** @throws CoreError SIGNATURE_MALFORMED */
function requireForm(name: string, holds: boolean): void {
  if (!holds) {
    throw new CoreError("SIGNATURE_MALFORMED", `${name} is not of the form that Standard Webhooks has.`, {
      field: FIELD(name),
    });
  }
}

const DIGEST_BYTES = 32;

/** @throws CoreError SIGNATURE_MALFORMED */
function signatureOf(base64: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  requireForm(SIGNATURE, bytes.length === DIGEST_BYTES && bytes.toString("base64") === base64);
  return bytes;
}

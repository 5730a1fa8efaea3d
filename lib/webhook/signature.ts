import { createHmac } from "node:crypto";

const PREFIX = "whsec_";
/** Of a key, as Standard Webhooks 1.0 wants it. */
const KEY_BYTES = { least: 24, most: 64 };

/**
 * The keys of secrets that stand beside each other, parted by blanks: `whsec_` and the key in base64.
 *
 * @throws Error saying what is wrong, without the secret.
 */
export function webhookKeys(secrets: string): readonly Buffer[] {
  return secrets
    .split(/\s+/)
    .filter((secret) => secret !== "")
    .map(webhookKey);
}

/**
 * The key of one secret.
 *
 * @throws Error saying what is wrong, without the secret.
 */
export function webhookKey(secret: string): Buffer {
  const encoded = secret.slice(PREFIX.length);
  const key = Buffer.from(encoded, "base64");
  // Node reads base64 leniently: what it would not write itself is a slip.
  if (
    !secret.startsWith(PREFIX) ||
    key.toString("base64").replace(/=+$/, "") !== encoded.replace(/=+$/, "")
  ) {
    throw new Error(`is not ${PREFIX} and base64`);
  }
  if (key.length < KEY_BYTES.least || key.length > KEY_BYTES.most) {
    throw new Error(`takes keys of ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes`);
  }
  return key;
}

export interface Signed {
  /** The same for every attempt: by it a receiver knows a repetition. */
  readonly id: string;
  readonly body: string | Buffer;
  /** Of this attempt. */
  readonly at: Date;
}

/** Seconds since 1970, as a signature has them. */
const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1_000);

/** What one key makes of it: 32 bytes. */
export const digestOf = ({ id, body, at }: Signed, key: Buffer): Buffer =>
  createHmac("sha256", key)
    .update(`${id}.${secondsOf(at)}.`)
    .update(body)
    .digest();

/** The headers of Standard Webhooks 1.0: a signature by each key, so that a receiver may change to a new one while both are sent. */
export function signatureHeaders(signed: Signed, keys: readonly Buffer[]): Record<string, string> {
  const signatures = keys.map((key) => `v1,${digestOf(signed, key).toString("base64")}`);
  return {
    "webhook-id": signed.id,
    "webhook-timestamp": String(secondsOf(signed.at)),
    "webhook-signature": signatures.join(" "),
  };
}

import { CoreError } from "../core_errors.js";
import { codeOf, type Field, type PlatformError } from "../errors.js";
import type { Queryable } from "../postgres/pool.js";
import { quoteName } from "../postgres/sql.js";
import { pause } from "../timing.js";
import { type Answer, replayed, type SentAnswer } from "./answer.js";
import { fingerprintOf } from "./fingerprint.js";
import type { IdempotencyKey } from "./idempotency_key.js";

/** What `withIdempotency` needs of a request; a route's request has it. */
export interface IdempotentRequest {
  /** Undefined: it came without a key. */
  readonly idempotency: IdempotencyKey | undefined;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The answer as it is sent. */
  readonly send: (answer: Answer | PlatformError) => SentAnswer;
}

/** An effect's answer; or a refusal that stands, returned and not thrown. */
export type Effect = () => Promise<Answer | PlatformError>;

/** Of refusals that may pass by themselves a repetition must be decided anew. */
const NEVER_KEPT = [400, 401, 403, 409, 412, 413, 415, 429];

/**
 * Gives a repeated request the answer that the first got: `effect` runs once for a key. Key, answer and effect are committed
 * together by the caller's transaction `tx`, so a crash leaves neither, and no key stays in progress. `effect` may use `tx` only:
 * what it did elsewhere no rollback undoes. What it throws undoes all of it and keeps no key; what it returns is kept, a refusal
 * such as "insufficient funds" too. An answer from the table has the header Idempotent-Replayed.
 *
 * The table belongs to the module; `ops.add_service_tables` makes it in its schema.
 *
 * @param schema of the module that owns the table.
 * @throws CoreError IDEMPOTENCY_MISMATCH: the key was used for another request; IDEMPOTENCY_IN_FLIGHT: a request with it has not
 *   ended, here or in another process. A route's handler is then called again for up to two seconds (`whileInFlight`), outside of
 *   the transaction, so that a key in flight holds no connection.
 */
export async function withIdempotency(
  tx: Queryable,
  { schema, request }: { readonly schema: string; readonly request: IdempotentRequest },
  effect: Effect,
): Promise<SentAnswer> {
  const { idempotency } = request;
  if (idempotency === undefined) {
    return request.send(await effect());
  }
  const { scope, key } = idempotency;
  const table = quoteName(`${schema}.idempotency`);
  const fingerprint = fingerprintOfRequest(request);

  const found = await lookUp(tx, table, { scope, key });
  if (found.status !== null) {
    return repeated(found, fingerprint);
  }
  if (!found.ours) {
    throw inFlight();
  }
  const answer = request.send(await effect());
  if (answer.status < 500 && !NEVER_KEPT.includes(answer.status)) {
    await keepAnswer(tx, schema, { scope, key, fingerprint, answer });
  }
  return answer;
}

/** What tells a repetition from another request under the same key. */
export const fingerprintOfRequest = ({ params, query, body }: IdempotentRequest): Buffer =>
  fingerprintOf([params, query, body]);

/** A row of the table: the answer that a key got. */
export interface KeptAnswer {
  readonly status: number;
  readonly fingerprint: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent. */
  readonly answer: string;
}

/** The answer again. @throws CoreError IDEMPOTENCY_MISMATCH when it was another request's. */
export function repeated(kept: KeptAnswer, fingerprint: Buffer): SentAnswer {
  if (!fingerprint.equals(kept.fingerprint)) {
    throw new CoreError("IDEMPOTENCY_MISMATCH", "The Idempotency-Key was used for another request.", {
      hint: "Take a new key, or send what was sent.",
      field: KEY_FIELD,
    });
  }
  return { status: kept.status, headers: { ...kept.headers, ...replayed(true) }, text: kept.answer };
}

const KEY_FIELD: Field = { in: "header", pointer: "#/idempotency-key" };

type Found = KeptAnswer | { readonly status: null; readonly ours: boolean };

/** What is kept under a key; else whether it is ours until the transaction ends. */
async function lookUp(tx: Queryable, table: string, { scope, key }: IdempotencyKey): Promise<Found> {
  const { rows } = await tx.query<Found>({
    name: `idempotency look up ${table}`,
    text: `
      SELECT kept.status, kept.fingerprint, kept.headers, kept.answer,
        CASE WHEN kept.status IS NULL THEN pg_try_advisory_xact_lock(hashtextextended($3, 0)) END AS ours
      FROM (SELECT) AS one LEFT JOIN ${table} AS kept ON kept.scope = $1 AND kept.key = $2`,
    values: [scope, key, `${table} ${scope} ${key}`],
  });
  return rows[0] as Found;
}

/** An answer that is to be kept under its request's key. */
export interface KeyedAnswer extends IdempotencyKey {
  readonly fingerprint: Buffer;
  readonly answer: SentAnswer;
}

/**
 * Keeps an answer under a key.
 *
 * @param schema of the module that owns the table
 * @throws CoreError IDEMPOTENCY_IN_FLIGHT when another answer was kept under it meanwhile
 */
export async function keepAnswer(db: Queryable, schema: string, keyed: KeyedAnswer): Promise<void> {
  const { scope, key, fingerprint, answer } = keyed;
  const table = quoteName(`${schema}.idempotency`);
  const { rowCount } = await db.query({
    name: `idempotency keep ${table}`,
    text: `
      INSERT INTO ${table} (scope, key, fingerprint, status, headers, answer)
      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    values: [scope, key, fingerprint, answer.status, JSON.stringify(answer.headers), answer.text],
  });
  // Another one committed since our look: what this one did is undone, and the next look finds the other's answer.
  if (rowCount === 0) {
    throw inFlight();
  }
}

/** For `whileInFlight`. @param field the key, or a business key that does its work */
export const inFlight = (field: Field = KEY_FIELD): CoreError =>
  new CoreError("IDEMPOTENCY_IN_FLIGHT", "A request with this key has not ended.", { field });

const WAIT_MS = 2_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 160;

/** Tries again while another request with the key is in flight. @throws CoreError IDEMPOTENCY_IN_FLIGHT after two seconds. */
export async function whileInFlight<T>(attempt: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + WAIT_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (codeOf(error) !== "IDEMPOTENCY_IN_FLIGHT" || performance.now() >= giveUpAt) {
        throw error;
      }
    }
    await pause(Math.min(pauseMs, Math.max(1, giveUpAt - performance.now())));
  }
}

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { z } from "zod";
import { formatAmount } from "../../lib/domain/money.js";
import { messageOf } from "../../lib/errors.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import type { Finding } from "../../lib/runtime/module.js";
import { PayoutsError } from "./errors.js";
import { type AuditedPago, auditedPagos } from "./store/audit.js";

/** A payout in the gateway's own book. They come ordered by id_pago, each line one. */
const entry = z.object({
  /** Whatever was sent as such; a payout without one has its own id here. */
  id_pago: z.string(),
  id: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(["pending", "in_transit", "paid", "failed", "canceled"]),
  changed_at: z.coerce.date(),
});
export type BookEntry = z.output<typeof entry>;

export interface BookOptions {
  /** Blank: the gateway shows no book. */
  readonly url: string;
  /** What changed so many seconds ago may not have been told yet. */
  readonly graceS: number;
}

/**
 * Compares every Pago with the gateway's book, in one walk over both.
 *
 * @throws PayoutsError GATEWAY_BOOK_UNREADABLE
 */
export async function compareBooks(tx: Queryable, { url, graceS }: BookOptions): Promise<readonly Finding[]> {
  if (url === "") {
    return [];
  }
  const settledBy = Date.now() - graceS * 1_000;
  const findings: Finding[] = [];
  for await (const [ours, theirs] of pairs(auditedPagos(tx), readBook(url))) {
    const changedAt = Math.max(
      Number(ours?.changedAt ?? 0),
      ...theirs.map((each) => Number(each.changed_at)),
    );
    const finding = compare(ours, theirs);
    if (finding !== undefined && (graceS === 0 || changedAt < settledBy)) {
      findings.push(finding);
    }
  }
  return findings;
}

/** What is wrong with a Pago and what the gateway has of it. */
export function compare(ours: AuditedPago | undefined, theirs: readonly BookEntry[]): Finding | undefined {
  const id = ours?.idPago ?? theirs[0]?.id_pago;
  const [only] = theirs;
  const says = (expected: string): Finding => ({
    what: `Pago ${id}`,
    expected: `by payouts: ${expected}`,
    found: `by the gateway: ${theirs.map(described).join(", ") || "nothing"}`,
  });
  if (ours === undefined) {
    return says("no such Pago");
  }
  if (theirs.length > 1) {
    return says("one payout");
  }
  const standing = ours.returned ? `${ours.estado}, returned` : ours.estado;
  if (only === undefined) {
    return ours.estado === "EXITOSO" || ours.gatewayId !== null ? says(standing) : undefined;
  }
  const same =
    BigInt(only.amount) === ours.monto &&
    only.currency.toUpperCase() === ours.moneda &&
    (ours.gatewayId === null || ours.gatewayId === only.id);
  const sum = `${standing} ${formatAmount(ours.monto, ours.moneda)} ${ours.moneda} as ${ours.gatewayId}`;
  return same && agrees(ours, only) ? undefined : says(sum);
}

function agrees({ estado, returned }: AuditedPago, { status }: BookEntry): boolean {
  const failed = status === "failed" || status === "canceled";
  switch (estado) {
    case "EXITOSO":
      return returned ? failed : status === "paid";
    case "FALLIDO":
      return failed;
    case "PROCESANDO":
      return !failed && status !== "paid";
    default:
      return false;
  }
}

const described = ({ id, amount, currency, status }: BookEntry): string =>
  `${status} ${formatAmount(BigInt(amount), currency.toUpperCase())} ${currency.toUpperCase()} as ${id}`;

/** Both sides by id, each with what the other has of it: a side may lack it, and the gateway may have several. */
async function* pairs(
  ours: AsyncIterator<AuditedPago>,
  theirs: AsyncIterator<BookEntry>,
): AsyncGenerator<readonly [AuditedPago | undefined, readonly BookEntry[]]> {
  let own = await ours.next();
  let other = await theirs.next();
  while (own.done !== true || other.done !== true) {
    const id = least(
      own.done === true ? undefined : own.value.idPago,
      other.done === true ? undefined : other.value.id_pago,
    );
    const entries: BookEntry[] = [];
    while (other.done !== true && other.value.id_pago === id) {
      entries.push(other.value);
      other = await theirs.next();
    }
    if (own.done !== true && own.value.idPago === id) {
      yield [own.value, entries];
      own = await ours.next();
    } else {
      yield [undefined, entries];
    }
  }
}

const least = (one: string | undefined, other: string | undefined): string =>
  [one, other].filter((id) => id !== undefined).sort()[0] as string;

async function* readBook(url: string): AsyncGenerator<BookEntry> {
  try {
    const response = await fetch(url);
    if (!response.ok || response.body === null) {
      throw new Error(`it answers ${response.status}`);
    }
    const lines = createInterface({
      input: Readable.fromWeb(response.body as never),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    for await (const line of lines) {
      yield entry.parse(JSON.parse(line));
    }
  } catch (error) {
    const message = `the gateway's book at ${url} cannot be read: ${messageOf(error)}.`;
    const hint = "Start the simulator, or leave PAYOUTS_BOOK_URL blank where the gateway shows no book.";
    throw new PayoutsError("GATEWAY_BOOK_UNREADABLE", message, { hint, cause: error });
  }
}

import { hash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { copyLines, copyText } from "../../lib/postgres/copy_lines.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { normaliseBody } from "../../services/ingest/domain/normalise.js";
import type { Normalised } from "../../services/ingest/domain/normalised.js";
import { eventOf } from "../../services/ingest/lake/row.js";
import { BenchError } from "../errors.js";
import { freeMb } from "../machine.js";
import type { Stack } from "../stack.js";
import { bodies, take } from "./bodies.js";

/** Bodies that are understood; each stands for as many events as it takes, which differ by id and time. */
const DISTINCT = 50_000;
/** Sessions that copy side by side. */
const LANES = 2;
/** Of an event with its indexes and its body, and of the write-ahead log of them that may be there at a time. */
const EVENT_BYTES = 1_400;
/** For reads. */
const KEPT_IDS = 5_000;
const DAY_MS = 86_400_000;

const EVENT = `id, body_id, place, received_at, provider, rule, method, confidence, status, code, detail, reason, amount, amount_minor,
  currency, amount_usd, merchant, country, occurred_at, provider_event_id, payment_ref, metadata, provenance, latency_ms`;

const BODY = "id, bytes, sha256, is_text, source, received_at";

export interface Filled {
  readonly seconds: number;
  /** Of events, for reads by id. */
  readonly ids: readonly string[];
  readonly providers: readonly string[];
}

/** What the disk of the stack must have free. @throws BenchError BENCH_REFUSED */
export async function requireRoom(stack: Stack, events: number): Promise<number> {
  const needMb = Math.ceil((events * EVENT_BYTES) / 2 ** 20);
  const free = await freeMb(stack.dir);
  if (free < needMb) {
    throw new BenchError(
      "BENCH_REFUSED",
      `${needMb} MB are needed on the disk of ${stack.dir}, ${free} MB are free.`,
      {
        hint: "Free some, or give fewer --events.",
      },
    );
  }
  return needMb;
}

/** Fills the bench's database with events of the last days, as the normaliser understands them, their bodies and roll-ups. @param pool of the owner */
export async function fillEvents(pool: Pool, events: number, days: number): Promise<Filled> {
  const startedMs = performance.now();
  const distinct = distinctOf(Math.min(events, DISTINCT));
  const untilMs = Date.now();
  function* lines(lane: number, lineOf: (each: Distinct, id: string, at: string, n: number) => string) {
    for (let n = lane; n < events; n += LANES) {
      const atMs = untilMs - Math.floor(((events - n) / events) * days * DAY_MS);
      yield `${lineOf(distinct[n % distinct.length] as Distinct, idAt(atMs, n), new Date(atMs).toISOString(), n)}\n`;
    }
  }
  const ids: string[] = [];
  const everyNth = Math.ceil(events / KEPT_IDS);
  await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      transaction(pool, async (tx) => {
        const event = ({ before, name, after }: Distinct, id: string, at: string, n: number) => {
          if (n % everyNth === 0) {
            ids.push(id);
          }
          return `${id}\t${id}\t0\t${at}\t${before}\t${at}\t${name}-${n}\t${after}`;
        };
        await copyLines(tx, `ingest.event (${EVENT})`, lines(lane, event));
        const body = ({ bytes }: Distinct, id: string, at: string) => `${id}\t${bytes}\tf\tlake\t${at}`;
        await copyLines(tx, `ingest.body (${BODY})`, lines(lane, body));
      }),
    ),
  );
  await pool.query(ROLL_UP);
  await pool.query("VACUUM (ANALYZE) ingest.event, ingest.body, ingest.event_day, ingest.amount_day");
  const { rows } = await pool.query<{ provider: string }>(
    "SELECT provider FROM ingest.event_day WHERE provider <> '' GROUP BY provider ORDER BY sum(events) DESC LIMIT 5",
  );
  const providers = rows.map(({ provider }) => provider);
  return { seconds: (performance.now() - startedMs) / 1_000, ids, providers };
}

/** What lines of COPY have of a body: of its event what comes before the time, the provider's name of it, what comes after. */
interface Distinct {
  readonly before: string;
  readonly name: string;
  readonly after: string;
  /** Packed, and its digest. */
  readonly bytes: string;
}

function distinctOf(count: number): readonly Distinct[] {
  return take(bodies(1), count).flatMap((data) => {
    const row = { id: "", data, merchantName: null, merchantCountry: null, transactionalId: null };
    const { raw, hint } = eventOf(row);
    const bytes = [deflateRawSync(data), hash("sha256", data, "buffer")];
    const text = bytes.map((each) => copyText(`\\x${each.toString("hex")}`)).join("\t");
    return normaliseBody(raw, { hint }).map((event) => ({ ...partsOf(event), bytes: text }));
  });
}

function partsOf(event: Normalised): Omit<Distinct, "bytes"> {
  const { provider, rule, method, confidence, status, unprocessed, reason, amount, amountMinor, currency } =
    event;
  const usd = currency === "USD" ? amount : null;
  const text = (value: unknown) => copyText(value === null ? null : String(value));
  const before = [
    ...[
      provider,
      rule,
      method,
      confidence,
      status,
      unprocessed?.code ?? null,
      unprocessed?.detail ?? null,
      reason,
    ],
    ...[amount, amountMinor, currency, usd, event.merchant, event.country],
  ];
  const { metadata, provenance } = event;
  return {
    before: before.map(text).join("\t"),
    name: text(event.providerEventId ?? "n"),
    after: [
      text(event.paymentRef ?? "p"),
      ...[metadata, provenance].map((each) => copyText(JSON.stringify(each))),
      "7",
    ].join("\t"),
  };
}

/** A UUIDv7 of a moment, the n-th. */
function idAt(ms: number, n: number): string {
  const at = ms.toString(16).padStart(12, "0");
  const tail = n.toString(16).padStart(12, "0");
  return `${at.slice(0, 8)}-${at.slice(8)}-7000-8000-${tail}`;
}

const ROLL_UP = `
  WITH days AS (
    INSERT INTO ingest.event_day (day, provider, status, reason, code, method, events, latency_ms)
    SELECT day, coalesce(provider, ''), status, coalesce(reason, ''), coalesce(code, ''), method, count(*), sum(latency_ms)
    FROM ingest.event GROUP BY 1, 2, 3, 4, 5, 6)
  INSERT INTO ingest.amount_day (day, provider, currency, events, round)
  SELECT day, coalesce(provider, ''), currency, count(*), count(*) FILTER (WHERE amount_minor % 100 = 0)
  FROM ingest.event WHERE amount_minor IS NOT NULL AND currency IS NOT NULL GROUP BY 1, 2, 3`;

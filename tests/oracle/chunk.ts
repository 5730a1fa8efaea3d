import { createHash } from "node:crypto";
import fc from "fast-check";
import { codesOf } from "../../etl/generate/encoder.js";
import { type AnswerKey, ChunkGenerator } from "../../etl/generate/generator.js";
import { RowBuffer } from "../../etl/generate/row_buffer.js";
import { chunkOf, type PlannedChunk, planRun } from "../../etl/plan.js";
import type { PlannedSpec } from "../../etl/spec.js";
import { population } from "../../etl/world/population.js";
import {
  CHANNELS,
  CURRENCIES,
  KINDS,
  MAX_AMOUNT,
  NETWORKS,
  RESPONSE_CODES,
  STATUSES,
} from "../../lib/domain/codes.js";

/**
 * For tests only: reads chunks back with code that shares nothing with the generator. `decodeCopy` follows PostgreSQL's
 * manual, `clean` follows db/queries/clean_chunk.sql, `digestOf` follows the SQL that digest.ts gives.
 */

/** A row of staging.txn_shape as PostgreSQL would read it. */
export interface StagedRow {
  readonly txnId: number;
  readonly timeMs: number;
  readonly account: number;
  readonly merchant: number;
  readonly terminal: number;
  readonly cents: number | null;
  readonly currency: string;
  readonly kind: string;
  readonly channel: string;
  readonly network: string;
  readonly status: string;
  readonly response: string;
  readonly originalId: number | null;
  readonly fraud: boolean;
  readonly amountRaw: string | null;
  /** Null where the row has the id of its line. */
  readonly lineId: number | null;
}

/** A row of txn. */
export type CleanRow = StagedRow & { readonly cents: number };

/** The id that belongs to the line a row stands on. */
export function lineOf(row: StagedRow): number {
  return row.lineId ?? row.txnId;
}

export function specOf(changes: Partial<PlannedSpec> = {}): PlannedSpec {
  return {
    rows: 20_000,
    seed: 1,
    fromOn: "2025-01-01",
    toOn: "2025-02-01",
    dirtRate: 0.01,
    fraudRate: 0.002,
    fraudDifficulty: "medium",
    chunkRows: 20_000,
    firstTxnId: 1,
    ...changes,
  };
}

export interface GeneratedChunk {
  readonly bytes: Buffer;
  readonly key: AnswerKey;
  readonly chunk: PlannedChunk;
}

/** @param sizes of the buffers, in turn; the last one goes on. */
export function generate(
  spec: PlannedSpec,
  chunkNo = 0,
  sizes: readonly number[] = [65_536],
): GeneratedChunk {
  const chunk = chunkOf(planRun(spec), spec, chunkNo);
  const generator = new ChunkGenerator(spec, chunk);
  const parts: Buffer[] = [];
  for (let i = 0; ; i++) {
    const buffer = new Uint8Array(sizes[Math.min(i, sizes.length - 1)] ?? 65_536);
    const filled = generator.fill(buffer);
    if (filled === 0) {
      break;
    }
    parts.push(Buffer.from(buffer.subarray(0, filled)));
  }
  return { bytes: Buffer.concat(parts), key: generator.answerKey(), chunk };
}

/** Everything a test may want of one chunk. */
export function inspect(spec: PlannedSpec, chunkNo = 0) {
  const { bytes, key, chunk } = generate(spec, chunkNo);
  const rows = decodeCopy(bytes);
  return { spec, chunk, key, rows, ...clean(rows, spec, chunk.month.month) };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @throws Error at the first byte that PostgreSQL would not take. */
export function decodeCopy(bytes: Buffer): StagedRow[] {
  const reader = new Reader(bytes);
  if (reader.take(11).toString("latin1") !== "PGCOPY\n\u00ff\r\n\0") {
    throw new Error("no COPY signature");
  }
  if (reader.int32() !== 0 || reader.int32() !== 0) {
    throw new Error("flags or header extension");
  }
  const rows: StagedRow[] = [];
  for (let fields = reader.int16(); fields !== -1; fields = reader.int16()) {
    if (fields !== 16) {
      throw new Error(`row ${rows.length} has ${fields} fields`);
    }
    rows.push(decodeRow(reader));
  }
  if (reader.left() !== 0) {
    throw new Error(`${reader.left()} bytes after the trailer`);
  }
  return rows;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left()) {
      throw new Error(`the stream ends early, at byte ${this.#at}`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  int16(): number {
    return this.take(2).readInt16BE();
  }

  int32(): number {
    return this.take(4).readInt32BE();
  }

  field(): Buffer | null {
    const length = this.int32();
    return length === -1 ? null : this.take(length);
  }
}

function decodeRow(reader: Reader): StagedRow {
  const required = <T>(decode: (field: Buffer) => T): T => {
    const field = reader.field();
    if (field === null) {
      throw new Error("null in a column that is never null");
    }
    return decode(field);
  };
  const optional = <T>(decode: (field: Buffer) => T): T | null => {
    const field = reader.field();
    return field === null ? null : decode(field);
  };
  return {
    txnId: required(int8),
    timeMs: required(timestamptz),
    account: required(int4),
    merchant: required(int4),
    terminal: required(int4),
    cents: optional(numericCents),
    currency: required(text),
    kind: required(text),
    channel: required(text),
    network: required(text),
    status: required(text),
    response: required(text),
    originalId: optional(int8),
    fraud: required(bool),
    amountRaw: optional(text),
    lineId: optional(int8),
  };
}

function sized(field: Buffer, bytes: number): Buffer {
  if (field.length !== bytes) {
    throw new Error(`field of ${field.length} bytes, expected ${bytes}`);
  }
  return field;
}

const int4 = (field: Buffer) => sized(field, 4).readInt32BE();
const int8 = (field: Buffer) => safe(sized(field, 8).readBigInt64BE());
const utf8 = new TextDecoder("utf-8", { fatal: true });
const text = (field: Buffer) => utf8.decode(field);

function safe(value: bigint): number {
  if (value !== BigInt(Number(value))) {
    throw new Error(`${value} is not a safe number`);
  }
  return Number(value);
}

function timestamptz(field: Buffer): number {
  const us = sized(field, 8).readBigInt64BE();
  if (us % 1_000n !== 0n) {
    throw new Error("time not in whole milliseconds");
  }
  return safe(us / 1_000n) + Date.UTC(2000, 0, 1);
}

function bool(field: Buffer): boolean {
  const byte = sized(field, 1)[0];
  if (byte !== 0 && byte !== 1) {
    throw new Error(`boolean ${byte}`);
  }
  return byte === 1;
}

/** Any numeric of two decimals, as hundredths. */
function numericCents(field: Buffer): number {
  const [digits, weight, sign, scale] = [0, 2, 4, 6].map((at) => field.readInt16BE(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (scale !== 2 || (sign !== 0 && sign !== 0x4000)) {
    throw new Error(`scale ${scale}, sign ${sign}`);
  }
  sized(field, 8 + 2 * digits);
  let tenThousandths = 0n;
  for (let i = 0; i < digits; i++) {
    const digit = field.readInt16BE(8 + 2 * i);
    if (digit < 0 || digit > 9_999) {
      throw new Error(`digit ${digit}`);
    }
    const exponent = weight - i + 1;
    if (exponent < 0) {
      throw new Error("more than four decimals");
    }
    tenThousandths += BigInt(digit) * 10_000n ** BigInt(exponent);
  }
  if (tenThousandths % 100n !== 0n) {
    throw new Error("more than two decimals");
  }
  return safe((sign === 0 ? 1n : -1n) * (tenThousandths / 100n));
}

/** What clean must make of a chunk: every rule of clean_chunk.sql, in its order. */
export function clean(rows: readonly StagedRow[], spec: PlannedSpec, month: string) {
  const [year, monthNo] = month.split("-").map(Number) as [number, number];
  const from = Math.max(Date.UTC(year, monthNo - 1, 1), Date.parse(spec.fromOn));
  const to = Math.min(Date.UTC(year, monthNo, 1), Date.parse(spec.toOn));
  // Of rows with the same id: the line of the one in its place, else of the first.
  const keepers = new Map<number, number>();
  for (const row of rows) {
    const keeper = keepers.get(row.txnId) ?? lineOf(row);
    keepers.set(
      row.txnId,
      keeper === row.txnId || row.lineId === null ? row.txnId : Math.min(keeper, lineOf(row)),
    );
  }

  const accepted: CleanRow[] = [];
  const findings: { row: StagedRow; class: string; outcome: "repaired" | "rejected" }[] = [];
  for (const row of rows) {
    const fixed = repaired(row);
    const reason = reasonToReject(row, fixed, { from, to, keeper: keepers.get(row.txnId) ?? 0 });
    if (reason !== undefined) {
      findings.push({ row, class: reason, outcome: "rejected" });
      continue;
    }
    accepted.push(fixed as CleanRow);
    const repair = repairOf(row);
    if (repair !== undefined) {
      findings.push({ row, class: repair, outcome: "repaired" });
    }
  }
  return { accepted, findings };
}

function repaired(row: StagedRow): StagedRow {
  const blanks = (code: string) => code.replace(/^ +| +$/g, "");
  const written = /^\s*([0-9]{1,9})[.,]([0-9]{2})\s*$/.exec(row.amountRaw ?? "");
  return {
    ...row,
    cents: row.cents ?? (written ? Number(written[1]) * 100 + Number(written[2]) : null),
    amountRaw: null,
    currency: blanks(row.currency).toUpperCase(),
    kind: blanks(row.kind).toLowerCase(),
    channel: blanks(row.channel).toLowerCase(),
    network: blanks(row.network).toLowerCase(),
    status: blanks(row.status).toLowerCase(),
    response: blanks(row.response),
  };
}

function reasonToReject(
  row: StagedRow,
  fixed: StagedRow,
  { from, to, keeper }: { from: number; to: number; keeper: number },
): string | undefined {
  const { terminalMerchant } = population();
  if (lineOf(row) !== keeper) {
    return "duplicate";
  }
  if (row.timeMs < from || row.timeMs >= to) {
    return "bad_time";
  }
  if (row.account < 1 || row.account > 100_000) {
    return "orphan_account";
  }
  if (row.merchant < 1 || row.merchant > 5_000) {
    return "orphan_merchant";
  }
  const owner = terminalMerchant[row.terminal - 1];
  if (owner === undefined) {
    return "orphan_terminal";
  }
  if (owner + 1 !== row.merchant) {
    return "foreign_terminal";
  }
  if (fixed.cents === null || fixed.cents <= 0 || fixed.cents > 100_000_000_00) {
    return "bad_amount";
  }
  if (!isOneOf(CURRENCIES, fixed.currency)) {
    return "bad_currency";
  }
  const known =
    isOneOf(KINDS, fixed.kind) &&
    isOneOf(CHANNELS, fixed.channel) &&
    isOneOf(NETWORKS, fixed.network) &&
    isOneOf(STATUSES, fixed.status) &&
    isOneOf(RESPONSE_CODES, fixed.response);
  return known ? undefined : "bad_code";
}

function isOneOf(list: readonly string[], code: string): boolean {
  return list.includes(code);
}

function codesOfRow(row: StagedRow): string[] {
  return [row.currency, row.kind, row.channel, row.network, row.status, row.response];
}

function repairOf(row: StagedRow): string | undefined {
  if (row.cents === null) {
    return "decimal_comma";
  }
  const codes = codesOfRow(row);
  if (codes.some((code) => code !== code.trim())) {
    return "padding";
  }
  const [currency = "", ...others] = codes;
  if (currency !== currency.toUpperCase() || others.some((code) => code !== code.toLowerCase())) {
    return "text_case";
  }
  return undefined;
}

/** Findings counted as the answer key counts them: every class of dirt, also those that did not occur. */
export function countByClass(findings: readonly { class: string; outcome: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { class: name, outcome } of findings) {
    counts.set(`${name} ${outcome}`, (counts.get(`${name} ${outcome}`) ?? 0) + 1);
  }
  return counts;
}

const K1 = [
  70370413n,
  99990001n,
  67867979n,
  104395301n,
  113648639n,
  81265673n,
  127402739n,
  90751613n,
  123456791n,
  78498689n,
  111111113n,
  130003279n,
  72727271n,
];
const K2 = [
  121330189n,
  86028121n,
  122949823n,
  93563509n,
  73939133n,
  118818811n,
  76837913n,
  131542063n,
  69696969n,
  110503049n,
  95959597n,
  84672767n,
  126233057n,
];
const LOW_32 = 0xffff_ffffn;

/** The two lanes summed, in whole numbers without bounds, as digest.ts words them in SQL. */
export function digestOf(rows: readonly CleanRow[]): { a: bigint; b: bigint } {
  let [a, b] = [0n, 0n];
  for (const row of rows) {
    const words = wordsOf(row);
    const form = (k: readonly bigint[]) =>
      words.reduce((sum, word, i) => sum + word * (k[i] ?? 0n), 0n) & LOW_32;
    const [h1, h2] = [form(K1), form(K2)];
    a += ((h1 & 0x7fff_ffffn) * h2) & LOW_32;
    b += (((h1 ^ (h1 >> 15n)) & 0x7fff_ffffn) * (h2 ^ (h2 >> 13n))) & LOW_32;
  }
  return { a, b };
}

function wordsOf(row: CleanRow): bigint[] {
  const halves = (value: number) => [BigInt(value) & LOW_32, BigInt(value) >> 32n];
  const md5 = createHash("md5").update(codesOfRow(row).join("|")).digest("hex");
  return [
    ...halves(row.txnId),
    ...halves(row.timeMs * 1_000),
    BigInt(row.account),
    BigInt(row.merchant),
    BigInt(row.terminal),
    ...halves(row.cents),
    ...halves(row.originalId ?? 0),
    BigInt(`0x${md5.slice(0, 8)}`),
    row.fraud ? 1n : 0n,
  ];
}

const id = fc.integer({ min: 1, max: 2_147_483_647 });
const txnId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const indexOf = (list: readonly string[]) => fc.nat(list.length - 1);
const cents = fc.oneof(
  fc.integer({ min: 1, max: MAX_AMOUNT * 100 }),
  fc.constantFrom(1, 99, 100, 9_999_99, 10_000_00, 99_999_999_99, 100_000_000_00, 2 ** 32 - 1, 2 ** 32),
);
/** Any row that clean would accept. */
export const anyDraft = fc
  .record({
    txnId,
    timeMs: fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2095, 0, 1) - 1 }),
    account: id,
    merchant: id,
    terminal: id,
    cents,
    currency: indexOf(CURRENCIES),
    kind: indexOf(KINDS),
    channel: indexOf(CHANNELS),
    network: indexOf(NETWORKS),
    status: indexOf(STATUSES),
    response: indexOf(RESPONSE_CODES),
    originalId: fc.oneof(fc.constant(0), txnId),
    fraud: fc.constantFrom(0, 1),
  })
  .map((fields) => Object.assign(new RowBuffer(), fields));

/** The row as it reads back. */
export function asStaged(row: RowBuffer, lineId: number): CleanRow {
  const [currency = "", kind = "", channel = "", network = "", status = "", response = ""] = codesOf(row);
  const { txnId, timeMs, account, merchant, terminal, cents } = row;
  const codes = { currency, kind, channel, network, status, response };
  const originalId = row.originalId === 0 ? null : row.originalId;
  return {
    txnId,
    timeMs,
    account,
    merchant,
    terminal,
    cents,
    ...codes,
    originalId,
    fraud: row.fraud === 1,
    amountRaw: null,
    lineId: lineId === txnId ? null : lineId,
  };
}

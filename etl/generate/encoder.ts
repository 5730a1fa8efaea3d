import { CHANNELS, CURRENCIES, KINDS, NETWORKS, RESPONSE_CODES, STATUSES } from "../../lib/domain/codes.js";
import { hashCodes } from "./digest.js";
import type { RowBuffer } from "./row_buffer.js";

/**
 * Rows of staging.txn_shape in PostgreSQL's binary COPY format: per row an int16 field count, then per field an int32 length
 * (-1 for null) and its bytes, network byte order. Source: PostgreSQL manual, COPY, "Binary Format".
 */

/** Signature, flags and header extension that open a binary COPY stream. */
export const COPY_HEADER = Uint8Array.from([
  ...[0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00],
  ...[0, 0, 0, 0, 0, 0, 0, 0],
]);
/** A field count of -1 closes it. */
export const COPY_TRAILER = Uint8Array.from([0xff, 0xff]);

/** No row is longer: numbers 112, amount 24, codes about 60; a defect adds a few blanks. */
export const MAX_ROW_BYTES = 256;

/** In the order in which a row's fields are written. */
export const COPY_COLUMNS = [
  "txn_id",
  "occurred_at",
  "account_id",
  "merchant_id",
  "terminal_id",
  "amount",
  "currency",
  "kind",
  "channel",
  "network",
  "status",
  "response_code",
  "original_txn_id",
  "is_fraud",
  "amount_raw",
  "line_id",
] as const;
/** PostgreSQL counts from 2000-01-01. */
const EPOCH_2000_MS = 946_684_800_000;
const TWO_32 = 4_294_967_296;

/** The six text fields of a row, encoded, and their contribution to the digest. */
interface CodeBlock {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

/** By all six codes; filled as they occur and kept by the thread, for an MD5 each is a tenth of a chunk's time. */
const blocks: (CodeBlock | undefined)[] = [];

/** How a row's amount is written: as a number, or as text that is not one. */
export type AmountRaw = Uint8Array | undefined;

/** Writes rows into a buffer, one after another. */
export class RowEncoder {
  bytes: Uint8Array;
  position = 0;
  #view: DataView;

  constructor(buffer: Uint8Array) {
    this.bytes = buffer;
    this.#view = viewOf(buffer);
  }

  /** Goes on in another buffer. */
  use(buffer: Uint8Array): void {
    this.bytes = buffer;
    this.#view = viewOf(buffer);
    this.position = 0;
  }

  /** The digest's word for the row's codes. */
  codesHash(row: RowBuffer): number {
    return this.#blockOf(row).hash;
  }

  /**
   * @param raw what to write in place of the number of cents, undefined for a well-formed amount.
   * @param codes encoded text fields to write in place of the row's own, see `encodeCodes`.
   */
  write(lineId: number, row: RowBuffer, raw: AmountRaw, codes: Uint8Array | undefined): void {
    const view = this.#view;
    let at = this.position;
    view.setInt16(at, COPY_COLUMNS.length);
    view.setInt32(at + 2, 8);
    at = setInt64(view, at + 6, row.txnId);
    view.setInt32(at, 8);
    at = setInt64(view, at + 4, (row.timeMs - EPOCH_2000_MS) * 1_000);
    view.setInt32(at, 4);
    view.setInt32(at + 4, row.account);
    view.setInt32(at + 8, 4);
    view.setInt32(at + 12, row.merchant);
    view.setInt32(at + 16, 4);
    view.setInt32(at + 20, row.terminal);
    at += 24;
    if (raw === undefined) {
      at = setNumeric(view, at, row.cents);
    } else {
      view.setInt32(at, -1);
      at += 4;
    }
    const block = codes ?? this.#blockOf(row).bytes;
    this.bytes.set(block, at);
    at += block.length;
    if (row.originalId === 0) {
      view.setInt32(at, -1);
      at += 4;
    } else {
      view.setInt32(at, 8);
      at = setInt64(view, at + 4, row.originalId);
    }
    view.setInt32(at, 1);
    view.setInt8(at + 4, row.fraud);
    at += 5;
    if (raw === undefined) {
      view.setInt32(at, -1);
      at += 4;
    } else {
      view.setInt32(at, raw.length);
      this.bytes.set(raw, at + 4);
      at += 4 + raw.length;
    }
    if (row.txnId === lineId) {
      view.setInt32(at, -1);
      at += 4;
    } else {
      view.setInt32(at, 8);
      at = setInt64(view, at + 4, lineId);
    }
    this.position = at;
  }

  /** Writes a row's bytes again, on another line. */
  repeat(row: Uint8Array, lineId: number): void {
    const at = this.position;
    this.bytes.set(row, at);
    // The row stood in its place, so its last field was null.
    this.#view.setInt32(at + row.length - 4, 8);
    this.position = setInt64(this.#view, at + row.length, lineId);
  }

  #blockOf(row: RowBuffer): CodeBlock {
    let key = row.currency;
    key = key * KINDS.length + row.kind;
    key = key * CHANNELS.length + row.channel;
    key = key * NETWORKS.length + row.network;
    key = key * STATUSES.length + row.status;
    key = key * RESPONSE_CODES.length + row.response;
    const known = blocks[key];
    if (known !== undefined) {
      return known;
    }
    const codes = codesOf(row);
    const block = { bytes: encodeCodes(codes), hash: hashCodes(codes) };
    blocks[key] = block;
    return block;
  }
}

/** The row's text codes, in the order of the columns. */
export function codesOf(row: RowBuffer): string[] {
  return [
    CURRENCIES[row.currency] ?? "",
    KINDS[row.kind] ?? "",
    CHANNELS[row.channel] ?? "",
    NETWORKS[row.network] ?? "",
    STATUSES[row.status] ?? "",
    RESPONSE_CODES[row.response] ?? "",
  ];
}

/** Text fields as COPY wants them: length and bytes, one after another. */
export function encodeCodes(codes: readonly string[]): Uint8Array {
  const parts = codes.map((code) => {
    const field = Buffer.alloc(4 + Buffer.byteLength(code));
    field.writeInt32BE(field.length - 4, 0);
    field.write(code, 4);
    return field;
  });
  return Uint8Array.from(Buffer.concat(parts));
}

function viewOf(buffer: Uint8Array): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** @returns the position after it. */
function setInt64(view: DataView, at: number, value: number): number {
  const high = Math.floor(value / TWO_32);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * TWO_32);
  return at + 8;
}

/**
 * A numeric with two decimals: int16 digit count, weight of the first digit, sign and scale, then digits of base 10,000.
 * Source: numeric_send in PostgreSQL's numeric.c.
 *
 * @param cents hundredths, of either sign, below 10^14.
 * @returns the position after it.
 */
function setNumeric(view: DataView, at: number, cents: number): number {
  const absolute = Math.abs(cents);
  const units = Math.floor(absolute / 100);
  const fraction = (absolute - units * 100) * 100;
  const large = units < 100_000_000 ? 3 : 4;
  const digits = units < 10_000 ? 2 : large;
  view.setInt32(at, 8 + 2 * digits);
  view.setInt16(at + 4, digits);
  view.setInt16(at + 6, digits - 2);
  view.setInt16(at + 8, cents < 0 ? 0x4000 : 0);
  view.setInt16(at + 10, 2);
  let rest = units;
  for (let k = digits - 2; k >= 0; k--) {
    const next = Math.floor(rest / 10_000);
    view.setInt16(at + 12 + 2 * k, rest - next * 10_000);
    rest = next;
  }
  view.setInt16(at + 12 + 2 * (digits - 1), fraction);
  return at + 12 + 2 * digits;
}

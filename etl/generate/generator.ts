import type { PlannedChunk } from "../plan.js";
import type { PlannedSpec } from "../spec.js";
import { Prng } from "../world/prng.js";
import { DEFECTS, DefectInjector, DefectSchedule, DUPLICATE } from "./defects.js";
import { Digest } from "./digest.js";
import { COPY_HEADER, COPY_TRAILER, MAX_ROW_BYTES, RowEncoder } from "./encoder.js";
import { FraudEpisodes } from "./fraud.js";
import { FRAUD_PATTERNS } from "./fraud_patterns.js";
import { LegitimateTraffic } from "./legitimate.js";
import { RowBuffer } from "./row_buffer.js";

/**
 * What a chunk holds, known before any of it is loaded: counts by class, and the rows that clean must end up with.
 */
export interface AnswerKey {
  readonly rows: number;
  readonly accepted: number;
  /** Lanes of the digest over the accepted rows as they should be after repair. */
  readonly digestA: number;
  readonly digestB: number;
  readonly classes: readonly {
    readonly class: string;
    readonly outcome: string;
    readonly injected: number;
  }[];
}

/** A duplicate repeats a row at most this many rows back: a sender that tries again does so soon. */
const DUPLICATE_REACH_ROWS = 64;
const EMPTY = new Uint8Array(0);

/**
 * The rows of one chunk as a binary COPY stream, and their answer key. A pure function of spec and chunk: the same bytes on
 * every machine, whoever asks and however often (the sizes of the buffers do not matter).
 */
export class ChunkGenerator {
  readonly #digest = new Digest();
  readonly #row = new RowBuffer();
  readonly #traffic: LegitimateTraffic;
  readonly #fraud: FraudEpisodes;
  readonly #schedule: DefectSchedule;
  readonly #injector: DefectInjector;
  readonly #rng: Prng;
  readonly #encoder = new RowEncoder(EMPTY);
  readonly #defectCounts = new Array<number>(DEFECTS.length).fill(0);
  readonly #fraudCounts = new Array<number>(FRAUD_PATTERNS.length).fill(0);
  readonly #total: number;
  readonly #firstTxnId: number;
  #next = 0;
  #headerDone = false;
  #trailerDone = false;
  /** Bytes of the row that the next duplicate repeats; length 0 when there is none yet. */
  #original: Uint8Array = EMPTY;
  #reach = 0;
  #rowStart = 0;

  constructor(spec: PlannedSpec, chunk: PlannedChunk) {
    const stream = (n: number) => new Prng(spec.seed, spec.firstTxnId, chunk.chunkNo, n);
    this.#rng = stream(0);
    this.#traffic = new LegitimateTraffic(chunk, stream(1));
    this.#schedule = new DefectSchedule(spec.dirtRate, stream(3));
    this.#injector = new DefectInjector(this.#rng);
    this.#total = chunk.toRow - chunk.fromRow;
    this.#fraud = new FraudEpisodes({
      rate: spec.fraudRate,
      difficulty: spec.fraudDifficulty,
      rows: this.#total,
      rng: stream(2),
    });
    this.#firstTxnId = chunk.firstTxnId;
    this.#planReach();
  }

  /**
   * Fills a buffer with whole rows.
   *
   * @param buffer at least 2 × MAX_ROW_BYTES.
   * @returns bytes filled; 0 when the stream has ended.
   */
  fill(buffer: Uint8Array): number {
    if (buffer.length < 2 * MAX_ROW_BYTES) {
      throw new RangeError(`a buffer of ${buffer.length} bytes holds no whole row`);
    }
    const encoder = this.#encoder;
    encoder.use(buffer);
    if (!this.#headerDone) {
      this.#append(COPY_HEADER);
    }
    this.#headerDone = true;
    const room = buffer.length - MAX_ROW_BYTES;
    while (this.#next < this.#total && encoder.position <= room) {
      this.#writeRow(this.#next++);
    }
    if (this.#next === this.#total && !this.#trailerDone && encoder.position <= room) {
      this.#append(COPY_TRAILER);
      this.#trailerDone = true;
    }
    return encoder.position;
  }

  /** Complete once `fill` has returned 0. */
  answerKey(): AnswerKey {
    const defects = DEFECTS.map(({ class: name, outcome }, i) => ({
      class: name as string,
      outcome: outcome as string,
      injected: this.#defectCounts[i] ?? 0,
    }));
    const frauds = FRAUD_PATTERNS.map(({ class: name }, i) => ({
      class: name as string,
      outcome: "fraud",
      injected: this.#fraudCounts[i] ?? 0,
    }));
    return {
      rows: this.#total,
      accepted: this.#digest.rows,
      digestA: this.#digest.a,
      digestB: this.#digest.b,
      classes: [...defects, ...frauds],
    };
  }

  #writeRow(index: number): void {
    const row = this.#row;
    this.#rowStart = this.#encoder.position;
    row.txnId = this.#firstTxnId + index;
    this.#traffic.draw(row, index);
    const pattern = this.#fraud.apply(row);
    this.#traffic.roundToCoins(row);

    if (index < this.#schedule.nextRow) {
      this.#accept(pattern);
      this.#encoder.write(row.txnId, row, undefined, undefined);
      this.#keepForDuplicate(index);
      return;
    }
    const planned = this.#schedule.nextClass;
    this.#schedule.advance();
    if (planned === DUPLICATE && this.#original.length > 0) {
      this.#repeatOriginal(index);
    } else {
      this.#writeDamaged(index, planned, pattern);
    }
    this.#planReach();
  }

  #writeDamaged(index: number, planned: number, pattern: number): void {
    const row = this.#row;
    const repairable = DEFECTS[planned]?.outcome === "repaired";
    // A repaired row counts as it was before the damage, and that is what clean must find back.
    if (repairable) {
      this.#accept(pattern);
    }
    const damage = planned === DUPLICATE ? this.#injector.badAmount(row) : this.#injector.apply(planned, row);
    this.#count(damage.defect);
    this.#encoder.write(this.#firstTxnId + index, row, damage.raw, damage.codes);
  }

  #accept(pattern: number): void {
    this.#digest.add(this.#row, this.#encoder.codesHash(this.#row));
    if (pattern >= 0) {
      this.#fraudCounts[pattern] = (this.#fraudCounts[pattern] ?? 0) + 1;
    }
    this.#traffic.remember(this.#row);
  }

  #count(defect: number): void {
    this.#defectCounts[defect] = (this.#defectCounts[defect] ?? 0) + 1;
  }

  /** Decides how far back the next duplicate, if that is what comes next, looks for the row it repeats. */
  #planReach(): void {
    this.#original = EMPTY;
    this.#reach = this.#schedule.nextClass === DUPLICATE ? 1 + this.#rng.below(DUPLICATE_REACH_ROWS) : 0;
  }

  /** Of the clean rows in reach, the last one that is at least `reach` back, or the first after it. */
  #keepForDuplicate(index: number): void {
    if (this.#reach === 0) {
      return;
    }
    const back = this.#schedule.nextRow - index;
    if (back > DUPLICATE_REACH_ROWS || (back < this.#reach && this.#original.length > 0)) {
      return;
    }
    const { bytes, position } = this.#encoder;
    this.#original = bytes.slice(this.#rowStart, position);
  }

  #repeatOriginal(index: number): void {
    this.#encoder.repeat(this.#original, this.#firstTxnId + index);
    this.#count(DUPLICATE);
  }

  #append(bytes: Uint8Array): void {
    this.#encoder.bytes.set(bytes, this.#encoder.position);
    this.#encoder.position += bytes.length;
  }
}

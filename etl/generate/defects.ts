import { MAX_AMOUNT } from "../../lib/domain/codes.js";
import { type Population, population } from "../world/population.js";
import type { Prng } from "../world/prng.js";
import { POPULATION } from "../world/world.js";
import { codesOf, encodeCodes } from "./encoder.js";
import type { RowBuffer } from "./row_buffer.js";

/**
 * Every class of dirt, and what the clean step must make of it. The same names are clean's repair and reject reasons
 * (db/queries/clean_chunk.sql), so that the answer key and the findings can be compared class by class.
 */
export const DEFECTS = [
  { class: "text_case", outcome: "repaired", weight: 20 },
  { class: "padding", outcome: "repaired", weight: 15 },
  { class: "decimal_comma", outcome: "repaired", weight: 15 },
  { class: "orphan_account", outcome: "rejected", weight: 8 },
  { class: "orphan_merchant", outcome: "rejected", weight: 4 },
  { class: "orphan_terminal", outcome: "rejected", weight: 4 },
  { class: "foreign_terminal", outcome: "rejected", weight: 6 },
  { class: "bad_code", outcome: "rejected", weight: 4 },
  { class: "bad_currency", outcome: "rejected", weight: 6 },
  { class: "bad_amount", outcome: "rejected", weight: 6 },
  { class: "bad_time", outcome: "rejected", weight: 4 },
  { class: "duplicate", outcome: "rejected", weight: 8 },
] as const;

export type DefectClass = (typeof DEFECTS)[number]["class"];

export const DUPLICATE = indexOf("duplicate");
const BAD_AMOUNT = indexOf("bad_amount");
const TOTAL_WEIGHT = DEFECTS.reduce((sum, defect) => sum + defect.weight, 0);

/** Codes that look like one but are not. */
const FALSE_CURRENCIES = ["XXX", "EURO", "US$", "ZZZ", "E1R", ""];
const FALSE_NETWORKS = ["vsia", "mastrcard", "unknown", "n/a"];
const FALSE_AMOUNTS = ["N/A", "12.34.56", "", "1e3", "-5,00", "NaN"].map((text) => Buffer.from(text));
const FALSE_TIMES_MS = [
  Date.UTC(1970, 0, 1),
  Date.UTC(2099, 11, 31),
  Date.UTC(1900, 0, 1),
  Date.UTC(2106, 1, 7),
];

/**
 * When the next defect strikes and which: gaps are geometric, so that a clean row costs one comparison and no random
 * number.
 */
export class DefectSchedule {
  /** Row, counted from the chunk's first, of the next defect. */
  nextRow = -1;
  /** Index in DEFECTS of the next defect. */
  nextClass = 0;
  readonly #rng: Prng;
  readonly #rate: number;

  constructor(rate: number, rng: Prng) {
    this.#rate = rate;
    this.#rng = rng;
    this.advance();
  }

  advance(): void {
    if (this.#rate === 0) {
      this.nextRow = Number.POSITIVE_INFINITY;
      return;
    }
    const gap = this.#rate === 1 ? 0 : Math.floor(Math.log(1 - this.#rng.unit()) / Math.log1p(-this.#rate));
    this.nextRow += 1 + gap;
    let ticket = this.#rng.below(TOTAL_WEIGHT);
    this.nextClass = DEFECTS.findIndex((defect) => {
      ticket -= defect.weight;
      return ticket < 0;
    });
  }
}

/** What a defect changes beside the row itself. */
export interface Damage {
  /** Index in DEFECTS of what was done in the end. */
  readonly defect: number;
  readonly raw?: Uint8Array;
  readonly codes?: Uint8Array;
}

/** Damages drafts, one class at a time; whatever it does is recognised as just that class by clean. */
export class DefectInjector {
  readonly #rng: Prng;
  readonly #people: Population = population();

  constructor(rng: Prng) {
    this.#rng = rng;
  }

  /** Changes the row, or says what to write in its place. A duplicate is the caller's: it needs an earlier row. */
  apply(defect: number, row: RowBuffer): Damage {
    const rng = this.#rng;
    switch (DEFECTS[defect]?.class) {
      case "text_case":
        return { defect, codes: encodeCodes(recase(codesOf(row), rng)) };
      case "padding":
        return { defect, codes: encodeCodes(pad(codesOf(row), rng)) };
      case "decimal_comma":
        return { defect, raw: withComma(row.cents) };
      case "orphan_account":
        row.account = POPULATION.accounts + 1 + rng.below(1_000_000);
        return { defect };
      case "orphan_merchant":
        row.merchant = POPULATION.merchants + 1 + rng.below(100_000);
        return { defect };
      case "orphan_terminal":
        row.terminal = POPULATION.terminals + 1 + rng.below(100_000);
        return { defect };
      case "foreign_terminal":
        row.terminal = this.#terminalOfAnother(row.merchant);
        return { defect };
      case "bad_code":
        return { defect, codes: encodeCodes(replaced(codesOf(row), 3, pickFrom(FALSE_NETWORKS, rng))) };
      case "bad_currency":
        return { defect, codes: encodeCodes(replaced(codesOf(row), 0, pickFrom(FALSE_CURRENCIES, rng))) };
      case "bad_time":
        row.timeMs = pickFrom(FALSE_TIMES_MS, rng) + rng.below(1_000_000);
        return { defect };
      default:
        return this.badAmount(row);
    }
  }

  /** Also what becomes of a duplicate for which there is no earlier row. */
  badAmount(row: RowBuffer): Damage {
    const way = this.#rng.below(5);
    if (way === 0) {
      row.cents = 0;
    } else if (way === 1) {
      row.cents = -Math.max(1, row.cents);
    } else if (way === 2) {
      row.cents = MAX_AMOUNT * 100 + 1 + row.cents;
    } else {
      return { defect: BAD_AMOUNT, raw: pickFrom(FALSE_AMOUNTS, this.#rng) };
    }
    return { defect: BAD_AMOUNT };
  }

  /** @param merchant id; @returns the id of a terminal of some other merchant. */
  #terminalOfAnother(merchant: number): number {
    const first = this.#people.firstTerminal[merchant - 1] ?? 0;
    const next = this.#people.firstTerminal[merchant] ?? 0;
    const others = POPULATION.terminals - (next - first);
    const k = this.#rng.below(others);
    return (k < first ? k : k + (next - first)) + 1;
  }
}

function indexOf(name: DefectClass): number {
  return DEFECTS.findIndex((defect) => defect.class === name);
}

function pickFrom<T>(list: readonly T[], rng: Prng): T {
  return list[rng.below(list.length)] as T;
}

function replaced(codes: string[], index: number, value: string): string[] {
  codes[index] = value;
  return codes;
}

/** At least the currency changes, so that no row stays as it should be. */
function recase(codes: string[], rng: Prng): string[] {
  const which = rng.u32();
  return codes.map((code, i) => {
    if (i === 0) {
      return which & 64 ? code.toLowerCase() : code.charAt(0) + code.slice(1).toLowerCase();
    }
    return (which >>> i) & 1 ? code.toUpperCase() : code;
  });
}

/** Blanks before or after one field, and perhaps others. */
function pad(codes: string[], rng: Prng): string[] {
  const which = rng.u32();
  const sure = rng.below(codes.length);
  return codes.map((code, i) => {
    if (i !== sure && ((which >>> (3 * i)) & 7) !== 0) {
      return code;
    }
    return (which >>> i) & 1 ? ` ${code}` : `${code}  `;
  });
}

function withComma(cents: number): Uint8Array {
  const units = Math.floor(cents / 100);
  return Buffer.from(`${units},${String(cents - units * 100).padStart(2, "0")}`);
}

import { InvalidArgumentError } from "commander";
import { POPULATION } from "../etl/world/world.js";
import { CoreError } from "../lib/core_errors.js";

/** What decides every request of a run: same spec, same requests. */
export interface TrafficSpec {
  /** Requests a second, of all kinds together. */
  readonly ratePerS: number;
  readonly seconds: number;
  readonly seed: number;
  /** Weight of each kind, by name. */
  readonly mix: Readonly<Record<string, number>>;
  /** The last customer who pays. */
  readonly customers: number;
  /** Share of payments that hit a few hot customers, and how many these are. */
  readonly hotShare: number;
  readonly hotCustomers: number;
  /** Share of payments by customers who have nothing. */
  readonly insufficientShare: number;
  /** Share of payments that are declined as fraud. */
  readonly fraudShare: number;
  /** Share of partners' requests that tell an event which another one tells too. */
  readonly duplicateShare: number;
  /** How far partners' events are from their places, as a share of the run; 0: in order, 1: anywhere. */
  readonly disorderShare: number;
  /** Share of conversions for campaigns that have no money left, are not active, or are of another currency. */
  readonly refusedShare: number;
}

/** Customers up to here are for tries by hand, those up to the next one have nothing; services/wallet seeds them so. */
export const BY_HAND = 1_000;
export const PENNILESS = 1_100;

export const DEFAULT_SPEC: TrafficSpec = {
  ratePerS: 100,
  seconds: 10,
  seed: 1,
  mix: { payments: 1 },
  customers: POPULATION.accounts,
  hotShare: 0.05,
  hotCustomers: 1,
  insufficientShare: 0.02,
  fraudShare: 0.01,
  duplicateShare: 0.2,
  disorderShare: 1,
  refusedShare: 0.09,
};

/** How many requests a run has. */
export const requestCount = ({ ratePerS, seconds }: Pick<TrafficSpec, "ratePerS" | "seconds">): number =>
  Math.round(ratePerS * seconds);

/** `1667`, `1667/s` or `100000/min`, as requests a second. */
export function readRate(text: string): number {
  const [, number = "", unit = "s"] = /^(\d+(?:\.\d+)?)(?:\/(s|min))?$/.exec(text) ?? [];
  const rate = Number(number) / (unit === "min" ? 60 : 1);
  if (number === "" || !(rate > 0 && rate <= 100_000)) {
    throw new InvalidArgumentError("It takes a rate above 0 such as 1667/s or 100000/min, at most 100000/s.");
  }
  return rate;
}

/** `payments=3,events=1`: weights by kind. */
export function readMix(text: string): Readonly<Record<string, number>> {
  const entries = text.split(",").map((entry) => {
    const [, name, weight = "1"] = /^([a-z_]+)(?:=(\d+(?:\.\d+)?))?$/.exec(entry) ?? [];
    if (name === undefined) {
      throw new InvalidArgumentError("It takes kinds and their weights, e.g. payments=1.");
    }
    return [name, Number(weight)] as const;
  });
  return Object.fromEntries(entries);
}

/** A whole number between two others, as an option takes it. */
export function readWhole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** A share between 0 and 1. */
export function readShare(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("It takes a share from 0 to 1.");
  }
  return value;
}

/** @throws CoreError USAGE_INVALID for what no single option can know. */
export function requireSpec(spec: TrafficSpec, kinds: readonly string[]): void {
  const unknown = Object.keys(spec.mix).find((name) => !kinds.includes(name));
  if (unknown !== undefined) {
    throw new CoreError(
      "USAGE_INVALID",
      `--mix: there is no kind ${unknown}; there are: ${kinds.join(", ")}.`,
    );
  }
  if (!Object.values(spec.mix).some((weight) => weight > 0)) {
    throw new CoreError("USAGE_INVALID", "--mix: no kind has a weight above 0.");
  }
  if (spec.hotShare + spec.insufficientShare + spec.fraudShare > 1) {
    throw new CoreError("USAGE_INVALID", "the shares of hot, insufficient and fraud add up to more than 1.");
  }
  if (spec.customers - PENNILESS < spec.hotCustomers) {
    const most = spec.customers - PENNILESS;
    throw new CoreError("USAGE_INVALID", `--hot-customers: there are only ${most} who have money.`);
  }
}

import { CHANNELS } from "../../lib/domain/codes.js";
import { Prng } from "./prng.js";
import { AliasTable, lognormalTable, slotsByWeight, zipfWeights } from "./sampling.js";
import { CATEGORIES, COUNTRIES, currencyIndex, POPULATION } from "./world.js";

/**
 * What the generator needs to know of accounts, merchants and terminals, as columns of small numbers indexed by id - 1.
 * A pure function of POPULATION, so no generator ever reads the database; `payments seed` writes the same facts there.
 */
export type Population = Readonly<ReturnType<typeof build>>;

export const SEGMENTS = ["mass", "affluent", "business"] as const;
const SEGMENT_SHARES = [0.78, 0.16, 0.06];
const SEGMENT_LEVELS = [1, 1.9, 3.2];
const [POS, ECOM, ATM] = CHANNELS.map((_, index) => index) as [number, number, number];

let built: Population | undefined;

/** The population; built once per thread, in about 60 ms. */
export function population(): Population {
  built ??= build();
  return built;
}

function build() {
  const { seed, accounts, merchants, terminals } = POPULATION;
  const countrySlots = slotsByWeight(
    COUNTRIES.map((country) => country.weight),
    1_000,
  );
  const levels = lognormalTable(0.45, 1_024);

  const rng = new Prng(seed, 1);
  const accountCountry = new Uint8Array(accounts);
  const accountCurrency = new Uint8Array(accounts);
  const accountNetwork = new Uint8Array(accounts);
  const accountSegment = new Uint8Array(accounts);
  /** Factor on the category's amount, in thousandths. */
  const accountLevel = new Uint16Array(accounts);
  const accountActivity = new Float64Array(accounts);
  const activities = lognormalTable(0.9, 1_024);
  for (let i = 0; i < accounts; i++) {
    const country = pick(countrySlots, rng);
    const segment = pickShare(SEGMENT_SHARES, rng.unit());
    accountCountry[i] = country;
    accountCurrency[i] = currencyOf(country);
    accountNetwork[i] = pickShare(COUNTRIES[country]?.networks ?? [1], rng.unit());
    accountSegment[i] = segment;
    accountLevel[i] = thousandths(pickFrom(levels, rng) * (SEGMENT_LEVELS[segment] ?? 1));
    accountActivity[i] = pickFrom(activities, rng) * (segment === 2 ? 2 : 1);
  }

  const categorySlots = slotsByWeight(
    CATEGORIES.map((category) => category.weight),
    1_000,
  );
  const merchantCategory = new Uint8Array(merchants);
  const merchantCountry = new Uint8Array(merchants);
  const merchantCurrency = new Uint8Array(merchants);
  const merchantLevel = new Uint16Array(merchants);
  const popularity = shuffled(zipfWeights(merchants, 0.9, 8), rng);
  for (let i = 0; i < merchants; i++) {
    // Every country gets a merchant of every category first, so that none is without a grocer or a cash machine.
    const core = i < COUNTRIES.length * CATEGORIES.length;
    const country = core ? Math.floor(i / CATEGORIES.length) : pick(countrySlots, rng);
    merchantCountry[i] = country;
    merchantCurrency[i] = currencyOf(country);
    merchantCategory[i] = core ? i % CATEGORIES.length : pick(categorySlots, rng);
    merchantLevel[i] = thousandths(pickFrom(levels, rng));
  }

  /** Terminals of merchant m have ids firstTerminal[m] … firstTerminal[m + 1] - 1. */
  const firstTerminal = spreadTerminals(popularity, terminals);
  const terminalChannel = new Uint8Array(terminals);
  const terminalMerchant = new Int32Array(terminals);
  /** Merchants that take cards online, for fraud that needs no card in hand. */
  const online: number[] = [];
  for (let m = 0; m < merchants; m++) {
    const from = firstTerminal[m] ?? 0;
    const to = firstTerminal[m + 1] ?? 0;
    const category = CATEGORIES[merchantCategory[m] ?? 0];
    const ecomCount = Math.floor((to - from) * (category?.ecom ?? 0) + rng.unit());
    for (let t = from; t < to; t++) {
      terminalMerchant[t] = m;
      const shop = t - from < ecomCount ? ECOM : POS;
      terminalChannel[t] = category?.cash ? ATM : shop;
    }
    if (ecomCount > 0 && !category?.cash) {
      online.push(m);
    }
  }

  const inCountry = (weights: Float64Array, countries: Uint8Array, country: number) =>
    new AliasTable(weights.map((weight, i) => (countries[i] === country ? weight : 0)));
  // A merchant's trade is its popularity times its category's: grocers see more cards than hotels.
  const trade = popularity.map((weight, m) => weight * (CATEGORIES[merchantCategory[m] ?? 0]?.weight ?? 1));
  return {
    accountCountry,
    accountCurrency,
    accountNetwork,
    accountSegment,
    accountLevel,
    merchantCategory,
    merchantCountry,
    merchantCurrency,
    merchantLevel,
    firstTerminal,
    terminalChannel,
    terminalMerchant,
    /** By country: its accounts by how active they are, its merchants by how popular they are. */
    accountsOf: COUNTRIES.map((_, c) => inCountry(accountActivity, accountCountry, c)),
    merchantsOf: COUNTRIES.map((_, c) => inCountry(trade, merchantCountry, c)),
    /** All merchants, for those who travel or buy abroad. */
    merchantsAnywhere: new AliasTable(trade),
    onlineMerchants: Int32Array.from(online),
  };
}

/** One terminal for every merchant, the rest by the square root of popularity: a chain has more tills, not all tills. */
function spreadTerminals(weights: Float64Array, terminals: number): Int32Array {
  const roots = weights.map(Math.sqrt);
  const total = roots.reduce((sum, root) => sum + root, 0);
  const spare = terminals - weights.length;
  const first = new Int32Array(weights.length + 1);
  let cumulated = 0;
  for (let m = 0; m < weights.length; m++) {
    cumulated += roots[m] ?? 0;
    first[m + 1] = m + 1 + Math.round((cumulated / total) * spare);
  }
  return first;
}

function currencyOf(country: number): number {
  return currencyIndex(COUNTRIES[country]?.currency ?? "EUR");
}

function thousandths(factor: number): number {
  return Math.min(65_535, Math.max(1, Math.round(factor * 1_000)));
}

function pick(slots: Int32Array, rng: Prng): number {
  return slots[rng.below(slots.length)] ?? 0;
}

function pickFrom(table: Float64Array, rng: Prng): number {
  return table[rng.below(table.length)] ?? 1;
}

function pickShare(shares: readonly number[], unit: number): number {
  let sum = 0;
  for (let i = 0; i < shares.length; i++) {
    sum += shares[i] ?? 0;
    if (unit < sum) {
      return i;
    }
  }
  return 0;
}

function shuffled(values: Float64Array, rng: Prng): Float64Array {
  const out = values.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    const kept = out[i] ?? 0;
    out[i] = out[j] ?? 0;
    out[j] = kept;
  }
  return out;
}

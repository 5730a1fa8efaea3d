import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CHANNELS, CURRENCIES, MAX_AMOUNT, NETWORKS } from "../../lib/domain/codes.js";
import { population, SEGMENTS } from "./population.js";
import { type AliasTable, lognormalTable } from "./sampling.js";
import { activity, CATEGORIES, COUNTRIES, POPULATION, seasonOf, UNITS_PER_EUR } from "./world.js";

const people = population();
const indices = (length: number) => [...Array(length).keys()];

describe("the population", () => {
  it("has the sizes it says", () => {
    expect(people.accountCountry).toHaveLength(POPULATION.accounts);
    expect(people.merchantCategory).toHaveLength(POPULATION.merchants);
    expect(people.terminalChannel).toHaveLength(POPULATION.terminals);
    expect(people.firstTerminal).toHaveLength(POPULATION.merchants + 1);
  });

  it("gives every merchant its own stretch of terminals, at least one", () => {
    expect(people.firstTerminal[0]).toBe(0);
    expect(people.firstTerminal.at(-1)).toBe(POPULATION.terminals);
    const wrong = indices(POPULATION.merchants).filter((m) => {
      const own = people.terminalMerchant.subarray(people.firstTerminal[m], people.firstTerminal[m + 1]);
      return own.length === 0 || own.some((merchant) => merchant !== m);
    });
    expect(wrong).toEqual([]);
  });

  it("has a merchant of every category in every country", () => {
    const shops = indices(POPULATION.merchants).map(
      (m) => `${people.merchantCountry[m]} ${people.merchantCategory[m]}`,
    );
    expect(new Set(shops).size).toBe(COUNTRIES.length * CATEGORIES.length);
  });

  it("speaks its country's currency and carries cards that exist there", () => {
    const isWrong = (country: number | undefined, currency: number | undefined) =>
      COUNTRIES[country ?? -1]?.currency !== CURRENCIES[currency ?? -1];
    const accounts = indices(POPULATION.accounts);
    const merchants = indices(POPULATION.merchants);
    expect(accounts.filter((i) => isWrong(people.accountCountry[i], people.accountCurrency[i]))).toEqual([]);
    expect(merchants.filter((m) => isWrong(people.merchantCountry[m], people.merchantCurrency[m]))).toEqual(
      [],
    );
    const shareOfNetwork = (i: number) =>
      COUNTRIES[people.accountCountry[i] ?? -1]?.networks[people.accountNetwork[i] ?? -1] ?? 0;
    expect(accounts.filter((i) => shareOfNetwork(i) === 0)).toEqual([]);
    expect(new Set(people.accountSegment)).toEqual(new Set(SEGMENTS.keys()));
    expect(new Set(people.accountNetwork)).toEqual(new Set(NETWORKS.keys()));
  });

  it("has cash machines where cash is, and online merchants whose first terminal is online", () => {
    const wrong = indices(POPULATION.terminals).filter((t) => {
      const category = CATEGORIES[people.merchantCategory[people.terminalMerchant[t] ?? -1] ?? -1];
      const channel = CHANNELS[people.terminalChannel[t] ?? -1];
      return (
        (channel === "atm") !== (category?.cash === true) || (channel === "ecom" && category?.ecom === 0)
      );
    });
    expect(wrong).toEqual([]);
    expect(people.onlineMerchants.length).toBeGreaterThan(500);
    for (const m of people.onlineMerchants) {
      expect(CHANNELS[people.terminalChannel[people.firstTerminal[m] ?? -1] ?? -1]).toBe("ecom");
    }
  });

  it("lets everyone trade, at home", () => {
    const traders = (tables: readonly AliasTable[]) => tables.flatMap((table) => [...table.members()]);
    const everyone = (count: number) => [...Array(count).keys()];
    const ascending = (ids: number[]) => ids.sort((x, y) => x - y);
    expect(ascending(traders(people.accountsOf))).toEqual(everyone(POPULATION.accounts));
    expect(ascending(traders(people.merchantsOf))).toEqual(everyone(POPULATION.merchants));
    expect(traders([people.merchantsAnywhere])).toEqual(everyone(POPULATION.merchants));
    for (const c of COUNTRIES.keys()) {
      expect(people.accountsOf[c]?.members().every((i) => people.accountCountry[i] === c)).toBe(true);
      expect(people.merchantsOf[c]?.members().every((m) => people.merchantCountry[m] === c)).toBe(true);
    }
  });

  /** When this fails on purpose, change POPULATION.seed, so that databases seeded before are told apart, and pin anew. */
  it("is the one that POPULATION stands for", () => {
    const hash = createHash("sha256");
    for (const [name, column] of Object.entries(people).sort(([a], [b]) => (a < b ? -1 : 1))) {
      // The tables are what the generator draws by, and GENERATOR_VERSION stands for them.
      if (ArrayBuffer.isView(column)) {
        hash.update(name).update(new Uint8Array(column.buffer));
      }
    }
    expect([POPULATION, hash.digest("hex")]).toEqual([
      { seed: 20_250_101, accounts: 100_000, merchants: 5_000, terminals: 20_000 },
      "a94e974b6c0f91972a1b83ec70bcd47191e886d078de98a924291499d51a7344",
    ]);
  });
});

describe("the world", () => {
  it("has tables that fit each other", () => {
    for (const country of COUNTRIES) {
      expect(country.networks.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
      expect(CURRENCIES).toContain(country.currency);
    }
    expect(UNITS_PER_EUR).toHaveLength(CURRENCIES.length);
    expect(new Set(COUNTRIES.map((country) => country.currency)).size).toBe(CURRENCIES.length);
    for (const column of ["name", "mcc"] as const) {
      expect(new Set(CATEGORIES.map((category) => category[column])).size).toBe(CATEGORIES.length);
    }
  });

  it("keeps every legitimate amount below what clean believes", () => {
    const tops = CATEGORIES.map(
      ({ sigma, medianEur }) => medianEur * (lognormalTable(sigma, 4_096).at(-1) ?? 0),
    );
    const level = people.accountLevel.reduce((most, each) => Math.max(most, each)) / 1_000;
    const dearest = indices(POPULATION.merchants).map((m) => {
      const top = tops[people.merchantCategory[m] ?? -1] ?? 0;
      const rate = UNITS_PER_EUR[people.merchantCurrency[m] ?? -1] ?? 0;
      return (top * (people.merchantLevel[m] ?? 0) * level * rate) / 1_000;
    });
    expect(Math.max(...dearest)).toBeLessThan(MAX_AMOUNT * 0.9);
  });

  it("is awake by day and asleep by night, in its own time zone", () => {
    for (const country of COUNTRIES) {
      const at = (localHour: number) =>
        activity(country, (((localHour - country.utcOffsetHours) % 168) + 168) % 168);
      for (const day of indices(7)) {
        expect(at(24 * day + 18)).toBeGreaterThan(20 * at(24 * day + 3));
      }
      expect(at(4 * 24 + 12)).toBeGreaterThan(at(6 * 24 + 12));
    }
  });

  it("spends most before Christmas", () => {
    expect(seasonOf(new Date("2025-12-15"))).toBeGreaterThan(1.2 * seasonOf(new Date("2025-02-15")));
    expect(seasonOf(new Date("2025-05-28"))).toBeGreaterThan(seasonOf(new Date("2025-05-15")));
  });
});

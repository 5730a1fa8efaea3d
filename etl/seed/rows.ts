import type { Faker } from "@faker-js/faker";
import { faker as de } from "@faker-js/faker/locale/de";
import { faker as enAU } from "@faker-js/faker/locale/en_AU";
import { faker as enCA } from "@faker-js/faker/locale/en_CA";
import { faker as enGB } from "@faker-js/faker/locale/en_GB";
import { faker as enIN } from "@faker-js/faker/locale/en_IN";
import { faker as enUS } from "@faker-js/faker/locale/en_US";
import { faker as es } from "@faker-js/faker/locale/es";
import { faker as esMX } from "@faker-js/faker/locale/es_MX";
import { faker as fr } from "@faker-js/faker/locale/fr";
import { faker as it } from "@faker-js/faker/locale/it";
import { faker as ja } from "@faker-js/faker/locale/ja";
import { faker as nl } from "@faker-js/faker/locale/nl";
import { faker as pl } from "@faker-js/faker/locale/pl";
import { faker as ptBR } from "@faker-js/faker/locale/pt_BR";
import { faker as sv } from "@faker-js/faker/locale/sv";
import { CHANNELS, NETWORKS } from "../../lib/domain/codes.js";
import { population, SEGMENTS } from "../world/population.js";
import { mix } from "../world/prng.js";
import { CATEGORIES, COUNTRIES, POPULATION } from "../world/world.js";

/**
 * The dimensions as lines of COPY's text format: what the generator knows of them (population.ts), with names and addresses
 * by faker around it. Seeded, so every database gets the same.
 */

const LOCALES: Readonly<Record<string, Faker>> = {
  US: enUS,
  DE: de,
  GB: enGB,
  FR: fr,
  ES: es,
  IT: it,
  NL: nl,
  PL: pl,
  SE: sv,
  CH: de,
  CA: enCA,
  AU: enAU,
  JP: ja,
  BR: ptBR,
  MX: esMX,
  IN: enIN,
};
/** The schemes' published test numbers; no issuer has them. In the order of NETWORKS. */
const TEST_BINS = ["411111", "555555", "378282", "601111"];
const DAY_MS = 86_400_000;

export const ACCOUNT_COLUMNS =
  "account_id, holder_name, email, country, currency, segment, spending_level, card_network, card_token, card_bin, card_last4, opened_on";

export function* accountLines(): Generator<string> {
  const people = population();
  seedLocales();
  for (let i = 0; i < POPULATION.accounts; i++) {
    const country = COUNTRIES[people.accountCountry[i] ?? 0] ?? COUNTRIES[0];
    const network = people.accountNetwork[i] ?? 0;
    const id = i + 1;
    const openedOn = new Date(Date.UTC(2012, 0, 1) + ((mix(id) >>> 0) % 4_600) * DAY_MS)
      .toISOString()
      .slice(0, 10);
    yield line([
      id,
      localeOf(country?.code).person.fullName(),
      // The reserved domain and the id keep it from ever being somebody's address.
      `holder${id}@example.com`,
      country?.code,
      country?.currency,
      SEGMENTS[people.accountSegment[i] ?? 0],
      (people.accountLevel[i] ?? 0) / 1_000,
      NETWORKS[network],
      // mix is a bijection, so tokens are as distinct as ids.
      `tok_${letters(mix(id))}${letters(mix(mix(id) ^ POPULATION.seed))}`,
      TEST_BINS[network],
      String((mix(id ^ 0x5bd1e995) >>> 0) % 10_000).padStart(4, "0"),
      openedOn,
    ]);
  }
}

export const MERCHANT_COLUMNS = "merchant_id, name, mcc, category, country, city, currency, price_level";

export function* merchantLines(): Generator<string> {
  const people = population();
  seedLocales();
  for (let i = 0; i < POPULATION.merchants; i++) {
    const country = COUNTRIES[people.merchantCountry[i] ?? 0] ?? COUNTRIES[0];
    const category = CATEGORIES[people.merchantCategory[i] ?? 0];
    const locale = localeOf(country?.code);
    yield line([
      i + 1,
      locale.company.name(),
      category?.mcc,
      category?.name,
      country?.code,
      locale.location.city(),
      country?.currency,
      (people.merchantLevel[i] ?? 0) / 1_000,
    ]);
  }
}

export const TERMINAL_COLUMNS = "terminal_id, merchant_id, channel";

export function* terminalLines(): Generator<string> {
  const people = population();
  for (let i = 0; i < POPULATION.terminals; i++) {
    yield line([i + 1, (people.terminalMerchant[i] ?? 0) + 1, CHANNELS[people.terminalChannel[i] ?? 0]]);
  }
}

function seedLocales(): void {
  for (const locale of Object.values(LOCALES)) {
    locale.seed(POPULATION.seed);
  }
}

function localeOf(country: string | undefined): Faker {
  return LOCALES[country ?? "US"] ?? enUS;
}

/** 32 bits as eight letters: digits in a row would look like a card number to a scanner. */
function letters(word: number): string {
  const hex = (word >>> 0).toString(16).padStart(8, "0");
  return hex.replaceAll(/[0-9]/g, (digit) => "ghijklmnop".charAt(Number(digit)));
}

const ESCAPES: Readonly<Record<string, string>> = { "\t": "t", "\n": "n", "\r": "r" };

/** One line of COPY's text format; names hold no tabs, newlines or backslashes, and one that did would be escaped. */
function line(values: readonly (string | number | undefined)[]): string {
  const fields = values.map((value) =>
    String(value).replaceAll(/[\\\t\n\r]/g, (c) => `\\${ESCAPES[c] ?? c}`),
  );
  return `${fields.join("\t")}\n`;
}

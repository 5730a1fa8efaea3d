import { hash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { newId } from "../../lib/domain/ids.js";
import { writeJson } from "../../lib/domain/json.js";
import { parseJson } from "../../lib/domain/json_parse.js";
import { countryOf } from "./domain/country.js";
import type { RawBody } from "./domain/document.js";
import { maskBody, maskText } from "./domain/mask.js";
import type { Normalised } from "./domain/normalised.js";
import type { Body, Merchant } from "./normaliser.js";
import type { Counted } from "./store/roll_up.js";
import { storable, type Taken, takenOf } from "./store/text.js";

/** What somebody brings. */
export interface Arrival extends Omit<Body, "receivedAt"> {
  /** What its bringer calls it, up to 200 characters: brought again it is a repeat, whatever is in it. */
  readonly sourceKey?: string | undefined;
}

/** A body as it is stored. */
export interface StoredBody {
  readonly id: string;
  readonly bytes: Buffer;
  readonly sha256: Buffer;
  readonly isText: boolean;
  readonly hint: string | null;
  readonly source: string;
  readonly sourceKey: string | null;
  readonly merchant: Merchant;
  readonly receivedAt: Date;
}

/** An event on its way into the tables. */
export interface NewEvent {
  readonly id: string;
  readonly place: number;
  readonly bodyId: string;
  readonly receivedAt: Date;
  readonly latencyMs: number;
  readonly taken: Taken;
  readonly keys: readonly Key[];
}

/** A name under which an event is told again. */
export interface Key {
  readonly scope: string;
  readonly key: string;
}

/** What was understood of a body, and what is stored of it. */
export interface Understood {
  readonly body: StoredBody;
  readonly events: readonly NewEvent[];
}

/**
 * What somebody brings without card data, and with names as PostgreSQL can hold them. A provider is one in whatever case it is spelled.
 */
export function maskedArrival<A extends Arrival>({ raw, hint, merchant, ...arrival }: A) {
  const named = hint === undefined ? "" : nameOf(hint).toLowerCase();
  return {
    ...arrival,
    raw: maskBody(raw),
    merchant: merchantOf(merchant),
    ...(named === "" ? {} : { hint: named }),
  };
}

const nameOf = (text: string): string => storable(maskText(text)).trim();

/**
 * It took from its arrival until now to understand it.
 *
 * @param arrival as `maskedArrival` gives it
 */
export function understoodOf(arrival: Arrival & Body, normalised: readonly Normalised[]): Understood {
  const { raw, hint, source, sourceKey, receivedAt, merchant = NOBODY } = arrival;
  const latencyMs = Math.max(0, Date.now() - receivedAt.getTime());
  const ids = normalised.map(() => newId());
  const bodyId = ids[0] as string;
  const text = "text" in raw ? raw.text : writeJson(raw.value);
  return {
    body: {
      id: bodyId,
      ...packed(text),
      isText: "text" in raw,
      hint: hint ?? null,
      source,
      sourceKey: sourceKey ?? null,
      merchant,
      receivedAt,
    },
    events: normalised.map((each, place) => {
      const taken = takenOf(withMerchant(each, merchant));
      const keys = [...providerKeys(taken), ...sourceKeys(arrival, place)];
      return { id: ids[place] as string, place, bodyId, receivedAt, latencyMs, taken, keys };
    }),
  };
}

const NOBODY: Merchant = { name: null, country: null };

const merchantOf = ({ name, country }: Merchant = NOBODY): Merchant => ({
  name: name === null ? null : nameOf(name) || null,
  country: country === null ? null : nameOf(country) || null,
});

/** What the event says itself goes first. What fills a field is of no place in the document: whoever brought it says so. */
export function withMerchant(event: Normalised, { name, country }: Merchant): Normalised {
  const fillsName = name !== null && event.merchant === null;
  const code = country !== null && event.country === null ? countryOf(country) : undefined;
  if (!fillsName && code === undefined) {
    return event;
  }
  return {
    ...event,
    ...(fillsName && { merchant: name }),
    ...(code !== undefined && { country: code }),
    provenance: {
      ...event.provenance,
      ...(fillsName && { merchant: { pointer: "", text: name } }),
      ...(code !== undefined && country !== null && { country: { pointer: "", text: country } }),
    },
  };
}

export const providerKeys = ({ provider, dedupKey }: Pick<Taken, "provider" | "dedupKey">): readonly Key[] =>
  dedupKey === null ? [] : [{ scope: `provider/${provider ?? ""}`, key: dedupKey }];

const sourceKeys = ({ source, sourceKey }: Arrival, place: number): readonly Key[] =>
  sourceKey === undefined
    ? []
    : [{ scope: `source/${source}`, key: place === 0 ? sourceKey : `${sourceKey}#${place}` }];

function packed(text: string): Pick<StoredBody, "bytes" | "sha256"> {
  const plain = Buffer.from(text);
  // By itself zlib takes 16 KB for what comes out, and keeps them with it: 24 us a body in place of 17.
  const chunkSize = Math.max(64, plain.length);
  return { bytes: deflateRawSync(plain, { chunkSize }), sha256: hash("sha256", plain, "buffer") };
}

/** The body as it was given to the normaliser; JSON that `parseJson` refuses is text, which is refused there for the same. */
export function unpacked({ bytes, isText }: Pick<StoredBody, "bytes" | "isText">): RawBody {
  const text = inflateRawSync(bytes).toString();
  if (isText) {
    return { text };
  }
  try {
    return { value: parseJson(text) };
  } catch {
    return { text };
  }
}

/** An event as roll-ups count it: on the UTC day on which it happened, as far as it says. */
export const countedOf = ({
  taken: { provider, status, reason, code, method, currency, amountMinor, occurredAt },
  receivedAt,
  latencyMs,
}: Pick<NewEvent, "taken" | "receivedAt" | "latencyMs">): Counted => {
  const day = (occurredAt ?? receivedAt).toISOString().slice(0, 10);
  return { day, provider, status, reason, code, method, currency, amountMinor, latencyMs };
};

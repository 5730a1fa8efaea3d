import { readAmount } from "./apply_amount.js";
import type { CompiledReason, CompiledRule, CompiledText, CompiledTime, Outcome } from "./compile.js";
import { countryOf } from "./country.js";
import { currencyOf } from "./currency.js";
import { MAX_RECORDS } from "./document.js";
import { percentDecoded } from "./form.js";
import { Malformed } from "./malformed.js";
import type { FailureReason, Normalised, Source, UnprocessedCode } from "./normalised.js";
import { type CompiledPath, type Found, find, findFirst, type Located, locate, type Scope } from "./path.js";
import { Refusal } from "./refusal.js";
import { DAY_MS, instantOf, zoneOf } from "./time.js";

export interface ApplyOptions {
  /** When the body came, in milliseconds. */
  readonly receivedAtMs?: number | undefined;
}

/**
 * The records that a rule cuts a document into, one scope each: the document itself where the rule names no lists.
 *
 * @throws Malformed for more than a body may have: lists within lists multiply
 */
export function recordsOf(rule: CompiledRule, root: Located): Scope[] {
  let scopes: Scope[] = [{ root, levels: [] }];
  for (const path of rule.each) {
    scopes = scopes.flatMap((scope) => within(scope, locate(path, scope)));
    if (scopes.length > MAX_RECORDS) {
      throw new Malformed(`it has more than ${MAX_RECORDS} records`);
    }
  }
  return scopes;
}

/** A list that is not there leaves one record without that level, so that nothing is lost. */
function within({ root, levels }: Scope, list: Located | undefined): Scope[] {
  const items = list === undefined ? [undefined] : [list.node].flat(1);
  const cut = items.length === 0 ? [undefined] : items;
  return cut.map((node, index) => {
    const pointer = Array.isArray(list?.node) ? `${list.pointer}/${index}` : (list?.pointer ?? "");
    return { root, levels: [...levels, { node, pointer, siblings: cut.length }] };
  });
}

/**
 * What a record says by a rule. Without a status that the rule knows it is UNPROCESSED, with its ids.
 */
export function applyRule(compiled: CompiledRule, scope: Scope, options: ApplyOptions): Normalised {
  const provenance: Record<string, Source> = {};
  const note = (field: string, found: Found | undefined): string | null => {
    if (found === undefined) {
      return null;
    }
    provenance[field] = { pointer: found.pointer, text: found.text };
    return found.text;
  };
  const { providerEventId, paymentRef, dedupKey } = readIds(compiled, scope, note);
  const metadata = readMetadata(compiled, scope);
  const { provider, name: rule } = compiled;
  const method = "rule";
  try {
    const outcome = readStatus(compiled, scope, note);
    const currencyFound = textAt(compiled.currency, scope);
    const currency = currencyFound === undefined ? undefined : currencyOf(currencyFound.text);
    if (currencyFound !== undefined && currency === undefined) {
      throw new Refusal("UNDECIDABLE", "its currency is no code of ISO 4217");
    }
    note("currency", currencyFound);
    const failed = outcome.status === "DECLINED" || outcome.status === "FAILED";
    const { reason, technical } = failed ? readReason(compiled, scope, note, metadata) : NO_REASON;
    const status = outcome.status === "DECLINED" && technical ? "FAILED" : outcome.status;
    const money = readAmount(compiled, scope, { status, currency: currency ?? null });
    if (money !== undefined) {
      note("amount", money.found);
    }
    const time = readTime(compiled.time, scope, options, note, metadata);
    const merchant = note("merchant", textAt(compiled.merchant, scope));
    const country = readCountry(compiled, scope, note);
    // Member by member, here and in what follows: an object of this size that is spread out takes 10 us.
    return {
      provider,
      rule,
      method,
      confidence: (compiled.rule.hinted === true ? 0.9 : 1) - (time.doubtful ? 0.1 : 0),
      status,
      unprocessed: null,
      reason: failed ? (reason ?? outcome.reason) : null,
      undoes: outcome.undoes,
      amount: money?.amount ?? null,
      amountMinor: money?.amountMinor ?? null,
      currency: currency ?? null,
      merchant: merchant === null ? null : visible(merchant),
      country,
      occurredAt: time.at,
      providerEventId,
      paymentRef,
      dedupKey,
      metadata,
      provenance,
    };
  } catch (error) {
    if (!(error instanceof Refusal)) {
      throw error;
    }
    const ids = { providerEventId, paymentRef, dedupKey };
    return {
      ...NOTHING,
      ...{ provider, rule, method, ...ids, metadata, provenance },
      unprocessed: { code: error.code, detail: error.message },
    };
  }
}

/** What an UNPROCESSED event says. */
export const NOTHING = {
  confidence: 0,
  status: "UNPROCESSED",
  reason: null,
  undoes: null,
  amount: null,
  amountMinor: null,
  currency: null,
  merchant: null,
  country: null,
  occurredAt: null,
} as const;

type Note = (field: string, found: Found | undefined) => string | null;

function readStatus({ status }: CompiledRule, scope: Scope, note: Note): Outcome {
  let seen: Found | undefined;
  for (const { by, outcomes, pad, exceptions } of status) {
    const found = by.map((each) => find(each, scope));
    const first = found.find((each) => each !== undefined);
    if (first === undefined) {
      continue;
    }
    const text = found
      .map((each, index) => each?.text.trim().padStart(index === 0 ? pad : 0, "0") ?? "")
      .join("/");
    const outcome = outcomes.get(text);
    if (outcome !== undefined) {
      note("status", { pointer: first.pointer, text });
      if (outcome.code !== null) {
        throw new Refusal(outcome.code, CODE_DETAILS[outcome.code] ?? "");
      }
      return outcome;
    }
    seen ??= { pointer: first.pointer, text };
    if (!exceptions) {
      break;
    }
  }
  if (seen === undefined) {
    throw new Refusal("NO_STATUS", "it has no status where its shape has one");
  }
  note("status", seen);
  throw new Refusal("UNKNOWN_VALUE", `its status at ${seen.pointer} is in no table`);
}

const CODE_DETAILS: Readonly<Partial<Record<UnprocessedCode, string>>> = {
  NEEDS_FETCH: "it points to a payment whose status has to be asked for",
  NOT_A_PAYMENT: "it is of no payment",
  NO_STATUS: "it has no status",
  UNKNOWN_VALUE: "its status has no meaning with what stands beside it",
  UNDECIDABLE: "what it says may mean either of several things",
};

/** The most specific code that a table knows; of several the first code is kept as it stands, known or not. */
function readReason(
  { reasons }: CompiledRule,
  scope: Scope,
  note: Note,
  metadata: Record<string, string>,
): { reason: FailureReason | null; technical: boolean } {
  for (const { at, table, pad, technical, decides } of reasons) {
    const known = knownReason(at, scope, { table, pad }, metadata);
    if (known !== undefined) {
      note("reason", known.found);
      return { reason: known.reason, technical: technical.get(known.code) === true };
    }
    if (decides && findFirst(at, scope) !== undefined) {
      break;
    }
  }
  return NO_REASON;
}

const NO_REASON = { reason: null, technical: false } as const;

function knownReason(
  at: readonly CompiledPath[],
  scope: Scope,
  { table, pad }: Pick<CompiledReason, "table" | "pad">,
  metadata: Record<string, string>,
): { found: Found; code: string; reason: FailureReason } | undefined {
  for (const path of at) {
    const found = find(path, scope);
    if (found !== undefined) {
      metadata["reason_code"] ??= found.text;
      const code = found.text.trim().padStart(pad, "0");
      const reason = table.get(code);
      if (reason !== undefined) {
        return { found, code, reason };
      }
    }
  }
  return undefined;
}

function readCountry({ country }: CompiledRule, scope: Scope, note: Note): string | null {
  const found = textAt(country, scope);
  const code = found === undefined ? undefined : countryOf(found.text);
  if (code === undefined) {
    return null;
  }
  note("country", found);
  return code;
}

function readTime(
  time: CompiledTime | undefined,
  scope: Scope,
  { receivedAtMs }: ApplyOptions,
  note: Note,
  metadata: Record<string, string>,
): { at: Date | null; doubtful: boolean } {
  const found = timeFound(time, scope);
  if (time === undefined || found === undefined) {
    return { at: null, doubtful: false };
  }
  const named = time.zoneAt === undefined ? undefined : find(time.zoneAt, scope)?.text;
  const zone = (named === undefined ? undefined : zoneOf(named)) ?? time.place.zone;
  const instant = instantOf(found.text, { ...time.place, zone, receivedAtMs });
  const isAhead = receivedAtMs !== undefined && (instant?.at.getTime() ?? 0) > receivedAtMs + DAY_MS;
  if (instant === undefined || isAhead) {
    // What has not happened yet would count on a day to come.
    metadata["time"] = found.text;
    return { at: null, doubtful: true };
  }
  note("occurredAt", found);
  return { at: instant.at, doubtful: instant.assumedUtc };
}

function timeFound(time: CompiledTime | undefined, scope: Scope): Found | undefined {
  for (const parts of time?.at ?? []) {
    const found = timeText(parts, scope);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function timeText(parts: readonly CompiledPath[], scope: Scope): Found | undefined {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) {
    return find(only, scope);
  }
  const found = parts.map((part) => find(part, scope));
  const [first] = found;
  if (first === undefined || found.some((each) => each === undefined)) {
    return undefined;
  }
  const texts = found.map((each) => decodedPercents(each?.text ?? ""));
  return { pointer: first.pointer, text: texts.length === 2 ? texts.join(" ") : joinedParts(texts) };
}

const decodedPercents = (text: string) => (text.includes("%") ? percentDecoded(text) : text);

function joinedParts(texts: readonly string[]): string {
  const [year, month, day, hour, minute, second] = texts.map((each) => each.padStart(2, "0"));
  const date = `${year}-${month}-${day}`;
  return hour === undefined ? date : `${date}T${hour}:${minute}:${second}`;
}

/** What gateways write where there is no id. */
const NO_ID = /^(?:0*|null|none|n\/a|-|notprovided)$/i;
/** As long as a key of an index may be. */
const MAX_ID = 255;

function readIds(
  { provider, notification, object, version, payment, time }: CompiledRule,
  scope: Scope,
  note: Note,
): Pick<Normalised, "providerEventId" | "paymentRef" | "dedupKey"> {
  const isId = (found: Found | undefined) =>
    found !== undefined && !NO_ID.test(found.text) && found.text.length <= MAX_ID;
  const withId = (paths: readonly CompiledPath[]) => paths.find((path) => isId(find(path, scope)));
  const [noticePath, operationPath] = [withId(notification), withId(object)];
  const notice = noticePath && find(noticePath, scope);
  const operation = operationPath && find(operationPath, scope);
  const ref = payment.map((place) => textAt(place, scope)).find(isId) ?? operation;
  note("providerEventId", notice ?? operation);
  note("paymentRef", ref);
  const told = [
    ...version.map((path) => find(path, scope)?.text ?? ""),
    timeFound(time, scope)?.text ?? "",
    positionBelow(operationPath, scope),
  ];
  return {
    providerEventId: notice?.text ?? operation?.text ?? null,
    paymentRef: ref?.text ?? null,
    dedupKey: keyOf(provider, notice, operation, told),
  };
}

/** Where a record is in what its id was found in: several that have only the id of their batch are told apart by it. */
function positionBelow(id: CompiledPath | undefined, { root, levels }: Scope): string {
  const last = levels.length - 1;
  const owner = id === undefined || id.up < 0 ? -1 : last - id.up;
  const isAlone = levels.slice(owner + 1).every(({ siblings }) => siblings === 1);
  const outer = levels[owner] ?? root;
  return isAlone ? "" : (levels[last]?.pointer.slice(outer.pointer.length) ?? "");
}

/** Parts are joined as JSON, so that no two lists of parts give one key. */
function keyOf(
  provider: string,
  notice: Found | undefined,
  operation: Found | undefined,
  told: readonly string[],
): string | null {
  if (notice !== undefined) {
    return JSON.stringify([provider, notice.text]);
  }
  return operation === undefined ? null : JSON.stringify([provider, operation.text, ...told]);
}

function readMetadata({ metadata }: CompiledRule, scope: Scope): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, at] of metadata) {
    const found = findFirst(at, scope);
    if (found !== undefined) {
      kept[name] = found.text;
    }
  }
  return kept;
}

/** The text at a place, cut and mapped as the place says. */
function textAt(compiled: CompiledText | undefined, scope: Scope): Found | undefined {
  for (const path of compiled?.at ?? []) {
    const found = find(path, scope);
    const text = found === undefined ? "" : cut(found.text, compiled?.place ?? { at: [] });
    if (found !== undefined && text !== "") {
      return { pointer: found.pointer, text };
    }
  }
  return undefined;
}

function cut(text: string, { slice, lastSegment, map }: CompiledText["place"]): string {
  const sliced = (slice === undefined ? text : text.slice(...slice)).trim();
  const segment = lastSegment === true ? sliced.slice(sliced.lastIndexOf("/") + 1) : sliced;
  if (map === undefined) {
    return segment;
  }
  const key = segment.toLowerCase();
  return Object.hasOwn(map, key) ? (map[key] ?? "") : "";
}

/** Without the characters that are not seen and would make one merchant two: marks of direction, of width zero. */
function visible(name: string): string {
  return name
    .replaceAll(/[\p{Cf}\p{Cc}]/gu, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

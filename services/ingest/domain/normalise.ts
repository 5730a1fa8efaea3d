import { applyRule, NOTHING, recordsOf } from "./apply.js";
import { type Document, type Format, MAX_RECORDS, parseDocument, type RawBody } from "./document.js";
import { Malformed } from "./malformed.js";
import type { Normalised, UnprocessedCode } from "./normalised.js";
import { textOf } from "./path.js";
import type { Recognised, RuleSet } from "./rule_set.js";
import { ruleSet } from "./rules/index.js";
import { type Unwrapped, unwrapped } from "./unwrap.js";

export type { RawBody } from "./document.js";
export type { Normalised } from "./normalised.js";

/** A record whose shape no rule knows. */
export interface UnknownRecord {
  readonly format: Format;
  readonly root: unknown;
  readonly hint: string | undefined;
}

export interface NormaliseOptions {
  /** What the sender calls the provider. */
  readonly hint?: string | undefined;
  readonly rules?: RuleSet;
  /** Asked for records that no rule knows; its answers are taken as they are. */
  readonly learned?: (record: UnknownRecord) => readonly Normalised[] | undefined;
  /** When the body came, in milliseconds since 1970. */
  readonly receivedAtMs?: number | undefined;
}

/**
 * What a provider's body comes to: an event for each payment in it, in order, one at least. Never throws: what cannot be read or
 * decided is UNPROCESSED with its code, and nothing is guessed. The body's card data is to be masked before.
 */
export function normaliseBody(body: RawBody, options: NormaliseOptions = {}): readonly Normalised[] {
  const rules = options.rules ?? ruleSet();
  const keys = new Map<string, number>();
  const { headerless = false } =
    (options.hint === undefined ? undefined : rules.provider(options.hint)) ?? {};
  const events = orMalformed(() =>
    documentsIn({ ...parseDocument(body, { headerless }), pointer: "" }).flatMap((document) =>
      // What is wrong within one record leaves its neighbours as they are.
      orMalformed(() =>
        documentsIn(unwrapped(document)).flatMap((record) => normaliseDocument(record, rules, options, keys)),
      ),
    ),
  );
  // Documents within documents are bounded one by one only.
  return events.length > MAX_RECORDS
    ? [unprocessed("MALFORMED", `it has more than ${MAX_RECORDS} records`, null)]
    : events;
}

function orMalformed(read: () => Normalised[]): Normalised[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Malformed)) {
      throw error;
    }
    return [unprocessed("MALFORMED", error.message, null)];
  }
}

/** A list is as many documents as it has items: rows of CSV, a batch of events. */
function documentsIn<T extends Document & { readonly pointer: string }>(document: T): T[] {
  const { root, pointer } = document;
  if (!Array.isArray(root)) {
    return [document];
  }
  if (root.length === 0 || root.length > MAX_RECORDS) {
    throw new Malformed(`it is a list of none, or of more than ${MAX_RECORDS} records`);
  }
  return root.map((item, index) => ({ ...document, root: item, pointer: `${pointer}/${index}` }));
}

function normaliseDocument(
  document: Unwrapped,
  rules: RuleSet,
  options: NormaliseOptions,
  keys: Map<string, number>,
): Normalised[] {
  const named = document.provider ?? providerNamed(document.root, rules);
  const hint = options.hint ?? named;
  const { format, root, pointer } = document;
  const recognised = contradictionOf(options.hint, named, rules) ?? rules.recognise(root, format, hint);
  switch (recognised.kind) {
    case "contradiction": {
      const { hinted, provider } = recognised;
      return [unprocessed("CONTRADICTION", `the hint says ${hinted}, the shape is of ${provider}`, hinted)];
    }
    case "unknown": {
      const learned = options.learned?.({ format, root, hint });
      return [...(learned ?? [unprocessed("UNRECOGNISED", "no rule knows its shape", recognised.hinted)])];
    }
    case "rule": {
      const { rule } = recognised;
      return recordsOf(rule, { node: root, pointer }).map((scope) => {
        const event = completed(applyRule(rule, scope, options), document);
        return rule.rule.id.counted === true ? numbered(event, keys) : event;
      });
    }
  }
}

/** @param keys how often the body had each so far: of equal ones all but the first get their number */
function numbered(event: Normalised, keys: Map<string, number>): Normalised {
  const { dedupKey } = event;
  if (dedupKey === null) {
    return event;
  }
  const before = keys.get(dedupKey) ?? 0;
  keys.set(dedupKey, before + 1);
  return before === 0 ? event : { ...event, dedupKey: `${dedupKey} ${before + 1}` };
}

/** A record that names its own provider, and a hint that names another. */
function contradictionOf(
  hint: string | undefined,
  named: string | undefined,
  rules: RuleSet,
): Recognised | undefined {
  const [hinted, provider] = [hint, named].map((each) =>
    each === undefined ? undefined : rules.provider(each)?.provider,
  );
  return hinted === undefined || provider === undefined || hinted === provider
    ? undefined
    : { kind: "contradiction", provider, hinted };
}

/** Flat records may name their provider themselves. Only one that has rules counts, for other things are called so too. */
function providerNamed(root: unknown, rules: RuleSet): string | undefined {
  for (const member of ["provider", "p_id", "gateway", "psp"]) {
    const named =
      typeof root === "object" && root !== null && Object.hasOwn(root, member)
        ? textOf((root as Record<string, unknown>)[member])
        : undefined;
    if (named !== undefined && rules.provider(named) !== undefined) {
      return named;
    }
  }
  return undefined;
}

/** What the envelope says of the merchant goes before what the provider says, which is often no more than a code. */
function completed(event: Normalised, { merchant, country }: Unwrapped): Normalised {
  return event.status === "UNPROCESSED" || (merchant === undefined && country === undefined)
    ? event
    : { ...event, merchant: merchant ?? event.merchant, country: country ?? event.country };
}

/** An event that no rule made anything of. */
export function unprocessed(code: UnprocessedCode, detail: string, provider: string | null): Normalised {
  return {
    ...NOTHING,
    provider,
    rule: null,
    method: "none",
    unprocessed: { code, detail },
    providerEventId: null,
    paymentRef: null,
    dedupKey: null,
    metadata: {},
    provenance: {},
  };
}

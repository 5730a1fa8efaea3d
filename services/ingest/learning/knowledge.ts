import { hash } from "node:crypto";
import { groupedBy } from "../../../lib/grouped.js";
import { normaliseBody, type UnknownRecord, unprocessed } from "../domain/normalise.js";
import type { Normalised } from "../domain/normalised.js";
import type { RuleSet } from "../domain/rule_set.js";
import type { Body } from "../normaliser.js";
import { KEPT, KEPT_OF_KIND, type Sample } from "./family.js";
import { wordsSay } from "./field_words.js";
import { familyOf, fitOf, inForce, type Known, shapeKeyOf } from "./known.js";
import { type Leaves, leavesOf } from "./leaves.js";
import { normalisedBy } from "./normalised.js";

/** An event that a model may be asked about, or that a candidate is to be tested on. */
export interface Offer {
  readonly family: string;
  readonly sample: Sample;
  /** No mapping reads it. */
  readonly isOpen: boolean;
}

interface Reading {
  /** Told of what a model may be asked about; without it nobody is asked. */
  readonly offer?: ((offer: Offer) => void) | undefined;
  /** What is asked about, or may be, is AI_PENDING. */
  readonly isPending: boolean;
}

/** Fewer fields tell of no payment: a pointer to one. */
const LEAST_LEAVES = 3;

/** What a process knows of learned mappings: reads events by them without waiting for anybody. */
export class Knowledge {
  #byFamily: ReadonlyMap<string, readonly Known[]> = new Map();
  #givenUp: ReadonlySet<string> = new Set();
  readonly #offered = new Map<string, number>();

  /** @param givenUp `family digest` of the events that nobody needs to be asked about again */
  set(mappings: readonly Known[], givenUp: readonly string[]): void {
    this.#byFamily = groupedBy(inForce(mappings), ({ family }) => family);
    this.#givenUp = new Set(givenUp);
  }

  read(
    { format, root, hint }: UnknownRecord,
    { source, offer, isPending }: Reading & { readonly source: string },
  ): Normalised {
    const leaves = leavesOf(root);
    // One spelling: figures, keys and mappings of `Acme` and `acme` are the same provider's.
    const provider = hint?.toLowerCase() ?? null;
    const family = familyOf({ provider, source, format });
    const mappings = this.#byFamily.get(family) ?? [];
    const fits = mappings.map((known) => fitOf(known, leaves));
    const reader = mappings[fits.indexOf("fits")];
    if (reader !== undefined) {
      if (offer && reader.state === "candidate" && this.#isWanted(reader, leaves)) {
        offer({ family, sample: sampleOf(leaves), isOpen: false });
      }
      return normalisedBy(reader, leaves, provider);
    }
    const isUnseen = fits.includes("unseen");
    const refused = isUnseen
      ? unprocessed("UNKNOWN_VALUE", "a learned mapping knows its shape, not one of its values", provider)
      : unprocessed("UNRECOGNISED", "no rule knows its shape", provider);
    if (!isPending || !mayBePayment(leaves)) {
      return refused;
    }
    const sample = sampleOf(leaves);
    if (this.#givenUp.has(`${family} ${sample.eventId}`)) {
      return refused;
    }
    offer?.({ family, sample, isOpen: true });
    return unprocessed("AI_PENDING", "a model is being asked", provider);
  }

  /** This process has not offered enough for it. */
  #isWanted({ id, mapping }: Known, leaves: Leaves): boolean {
    const offered = this.#countOffered(id);
    const ofKind = this.#countOffered(`${id}\n${shapeKeyOf(mapping, leaves)}`);
    return offered <= 2 * KEPT || ofKind <= 2 * KEPT_OF_KIND;
  }

  #countOffered(name: string): number {
    const offered = (this.#offered.get(name) ?? 0) + 1;
    this.#offered.set(name, offered);
    return offered;
  }
}

/** What a body comes to by rules and by what is known, asking nobody. */
export function understood(
  { raw, hint, source, receivedAt }: Body,
  knowledge: Knowledge,
  { rules, offer, isPending }: Reading & { readonly rules: RuleSet },
): readonly Normalised[] {
  const reading = { source: wayOf(source), offer, isPending };
  return normaliseBody(raw, {
    hint,
    receivedAtMs: receivedAt.getTime(),
    rules,
    learned: (record) => [knowledge.read(record, reading)],
  });
}

/** One provider's events are the same one by one and in batches. */
const wayOf = (source: string): string => (source === "batch" ? "api" : source);

const mayBePayment = (leaves: Leaves): boolean =>
  leaves.size >= LEAST_LEAVES &&
  [...leaves.keys()].some((path) => wordsSay("status", path) === "for" || wordsSay("amount", path) === "for");

/** The same event again is the same sample. */
function sampleOf(leaves: Leaves): Sample {
  const text = [...leaves.values()]
    .map(({ path, text: value }) => `${path}\0${value}`)
    .sort()
    .join("\0");
  return { eventId: hash("sha256", text).slice(0, 32), leaves, mappingId: null, tries: 0 };
}

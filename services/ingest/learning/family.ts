import { newId } from "../../../lib/domain/ids.js";
import { judge, UNIT_DOUBT, type Verdict } from "./judge.js";
import { kindPathsOf } from "./kinds.js";
import { fitOf, inForce, type Known, readerOf, shapeKeyOf } from "./known.js";
import { keyAt, type Leaves, likeness } from "./leaves.js";
import { type Keyed, layoutOf, type Mapping, merged } from "./mapping.js";
import { promotionOf } from "./promotion.js";

/** An event of a family that no promoted mapping reads, or that one read as a candidate. */
export interface Sample {
  readonly eventId: string;
  readonly leaves: Leaves;
  /** The mapping that reads it; null: none. */
  readonly mappingId: string | null;
  /** Calls that brought nothing for it. */
  readonly tries: number;
}

/** What a model is asked for. */
export interface Call {
  /** `confirm`: for the mapping of these events once more, by somebody who does not know it. */
  readonly purpose: "learn" | "confirm";
  /** Of the mapping that is to be confirmed. */
  readonly mappingId: string | null;
  readonly samples: readonly Sample[];
}

/** What a model says, before it is tested: without kinds, which are told from the events. */
export type Proposal = Omit<Mapping, "kinds">;

/** What came of a call, for its record. */
export type Outcome = "new" | "extended" | "confirmed" | "rival" | "refused" | "failed";

export interface Learned {
  readonly outcome: Outcome;
  /** Why a proposal was refused. */
  readonly refusals: readonly string[];
}

/** A prompt shows so many events at most. */
const SHOWN = 12;
/** An event that so many calls brought nothing for stays unprocessed. */
export const MAX_TRIES = 3;
/** Events that a candidate is tested on; more tell nothing more. */
export const KEPT = 50;
/** Of each kind and status so many are kept besides: a unit is proven for each kind. */
export const KEPT_OF_KIND = 10;
const ALIKE = 0.5;

/**
 * All that is known and open about one family of events: pure, so that it is tried over seeds without a database. `call` says what to
 * ask a model next; `learn` takes its answer. What changed is read from `mappings` and `samples`, and `unsettled` says which
 * layouts' events have to be normalised anew.
 */
export class Family {
  readonly name: string;
  readonly #mappings: Map<string, Known>;
  readonly #samples: Map<string, Sample>;
  readonly #unsettled = new Set<string>();
  readonly #verdicts = new WeakMap<Mapping, { readonly agreeing: number; readonly verdict: Verdict }>();
  readonly #now: () => Date;

  constructor(
    name: string,
    { mappings, samples, now = () => new Date() }: FamilyState & { readonly now?: () => Date },
  ) {
    this.name = name;
    this.#mappings = new Map(mappings.map((each) => [each.id, each]));
    this.#samples = new Map(samples.map((each) => [each.eventId, each]));
    this.#now = now;
    this.#settle();
  }

  get mappings(): readonly Known[] {
    return [...this.#mappings.values()];
  }

  /** As they are to be kept: with what each waits for. */
  get weighed(): readonly Known[] {
    return this.mappings.map((known) => ({ ...known, waitsFor: this.#waitsFor(known) }));
  }

  get samples(): readonly Sample[] {
    return [...this.#samples.values()];
  }

  /** Layouts that lost their place: what they read is to be read anew. */
  get unsettled(): readonly string[] {
    return [...this.#unsettled];
  }

  /** Takes an event in, unless enough like it are known. */
  add(eventId: string, leaves: Leaves): void {
    const reader = readerOf(this.mappings, leaves);
    if (reader?.state !== "promoted" && !(reader && this.#isEnough(reader, leaves))) {
      this.#samples.set(eventId, { eventId, leaves, mappingId: reader?.id ?? null, tries: 0 });
    }
  }

  #isEnough({ id, mapping }: Known, leaves: Leaves): boolean {
    const key = shapeKeyOf(mapping, leaves);
    const read = this.samples.filter(({ mappingId }) => mappingId === id);
    return (
      read.length >= KEPT &&
      read.filter((sample) => shapeKeyOf(mapping, sample.leaves) === key).length >= KEPT_OF_KIND
    );
  }

  /** The next question; undefined: nothing is to be asked. Events that nothing reads go first. */
  call(): Call | undefined {
    const open = this.samples.filter(({ mappingId, tries }) => mappingId === null && tries < MAX_TRIES);
    const [first] = open;
    if (first !== undefined) {
      const paths = new Set(first.leaves.keys());
      const alike = open.filter(
        (other) => other !== first && likeness(paths, new Set(other.leaves.keys())) >= ALIKE,
      );
      return { purpose: "learn", mappingId: null, samples: [first, ...various(alike)].slice(0, SHOWN) };
    }
    for (const known of this.mappings) {
      if (known.state === "candidate" && this.#isLeader(known) && this.#standing(known) === "confirm") {
        return { purpose: "confirm", mappingId: known.id, samples: this.#evidence(known).slice(0, SHOWN) };
      }
    }
    return undefined;
  }

  /** Takes the answer to a call; undefined where there was none. */
  learn(call: Call, proposal: Proposal | undefined): Learned {
    const learned = call.purpose === "learn" ? this.#take(call, proposal) : this.#confirm(call, proposal);
    this.#settle();
    return learned;
  }

  /** A person's word: it becomes a rule, or what it read is read anew and its like is never taken again. */
  decide(id: string, decision: "accept" | "reject"): Known | undefined {
    const known = this.#mappings.get(id);
    if (known === undefined || known.state === "rejected" || known.state === "retired") {
      return undefined;
    }
    if (decision === "accept") {
      this.#promote(known);
    } else {
      this.#drop(known, "rejected");
    }
    this.#settle();
    return this.#mappings.get(id);
  }

  #take({ samples }: Call, proposal: Proposal | undefined): Learned {
    const shown = samples.filter(({ eventId }) => this.#samples.get(eventId)?.mappingId === null);
    const [first] = shown;
    const mapping = proposal && first && withKinds(proposal, samples);
    const fitting =
      mapping === undefined ? [] : samples.filter(({ leaves }) => this.#fits(mapping, samples, leaves));
    const refusals =
      mapping === undefined ? [] : this.#refusals(mapping, first && fitting.includes(first) ? fitting : []);
    if (mapping === undefined || refusals.length > 0) {
      for (const sample of shown) {
        this.#samples.set(sample.eventId, { ...sample, tries: sample.tries + 1 });
      }
      return { outcome: mapping === undefined ? "failed" : "refused", refusals };
    }
    const known = this.#known(narrowed(mapping, fitting), pathsOf(fitting));
    for (const before of this.#candidates()) {
      const both =
        layoutOf(before.mapping) === layoutOf(known.mapping) && merged(before.mapping, known.mapping);
      if (both) {
        this.#put({ ...before, mapping: both });
        return { outcome: "extended", refusals };
      }
    }
    this.#put(known);
    return { outcome: "new", refusals };
  }

  #confirm({ mappingId, samples }: Call, proposal: Proposal | undefined): Learned {
    const known = this.#mappings.get(mappingId ?? "");
    if (known?.state !== "candidate") {
      return { outcome: "failed", refusals: [] };
    }
    this.#put({ ...known, confirmations: known.confirmations + 1 });
    const mapping = proposal && withKinds(proposal, samples);
    const refusals = mapping === undefined ? [] : this.#refusals(mapping, samples);
    if (mapping === undefined || refusals.length > 0) {
      return { outcome: mapping === undefined ? "failed" : "refused", refusals };
    }
    const answer = narrowed(mapping, samples);
    const own = this.#voted(known.id, answer);
    const rivals = this.#candidates().filter(({ id, shape }) => shape === known.shape && id !== known.id);
    if (!own && !rivals.some(({ id }) => this.#voted(id, answer))) {
      this.#put({ ...this.#known(answer, pathsOf(samples)), shape: known.shape });
    }
    for (const each of this.#candidates().filter(({ shape }) => shape === known.shape)) {
      if (this.#standing(each) === "promote") {
        this.#promote(each);
      }
    }
    return { outcome: own ? "confirmed" : "rival", refusals };
  }

  /** Counts an answer for a mapping that says the same; the leader may become another one by it. */
  #voted(id: string, answer: Mapping): boolean {
    const known = this.#mappings.get(id) as Known;
    const both = layoutOf(known.mapping) === layoutOf(answer) ? merged(known.mapping, answer) : undefined;
    if (both === undefined) {
      return false;
    }
    const leader = this.#candidates().find((each) => each.shape === known.shape && this.#isLeader(each));
    this.#put({ ...known, mapping: both, votes: known.votes + 1 });
    if (leader !== undefined && leader.id !== id && !this.#isLeader(leader)) {
      this.#unsettle(leader);
    }
    return true;
  }

  #refusals(mapping: Mapping, samples: readonly Sample[]): readonly string[] {
    if (samples.length === 0) {
      return ["it does not fit the event that it was asked for"];
    }
    const like = this.mappings.filter((known) => isLike(known.mapping, mapping));
    // Of a layout that is a rule, too, what was rejected is a meaning of its statuses.
    const again =
      like.some(({ state }) => state === "rejected") && !like.some(({ state }) => state === "promoted");
    const { refusals } = judge(
      mapping,
      samples.map(({ leaves }) => leaves),
      this.#now(),
    );
    return again ? ["a person rejected it", ...refusals] : refusals;
  }

  /** Judged once for as many events: judging is what takes time. */
  #judged(known: Known): { readonly agreeing: number; readonly verdict: Verdict } {
    const evidence = this.#evidence(known);
    const before = this.#verdicts.get(known.mapping);
    if (before?.agreeing === evidence.length) {
      return before;
    }
    const leaves = evidence.map((sample) => sample.leaves);
    const judged = { agreeing: evidence.length, verdict: judge(known.mapping, leaves, this.#now()) };
    this.#verdicts.set(known.mapping, judged);
    return judged;
  }

  #standing(known: Known): ReturnType<typeof promotionOf> {
    const rivals = this.#candidates().filter(({ shape, id }) => shape === known.shape && id !== known.id);
    return promotionOf({
      votes: known.votes,
      rivalVotes: Math.max(0, ...rivals.map(({ votes }) => votes)),
      confirmations: known.confirmations,
      ...this.#judged(known),
    });
  }

  #waitsFor(known: Known): string | null {
    if (known.state !== "candidate") {
      return null;
    }
    const { verdict } = this.#judged(known);
    if (!verdict.unitProven) {
      return UNIT_DOUBT;
    }
    return this.#standing(known) === "person" ? (verdict.doubts[0] ?? "calls that agree") : null;
  }

  /**
   * What is known of a rule is one mapping, however many candidates it grew from. What they read is read anew: only a rule finds
   * what repeats another event.
   */
  #promote(known: Known): void {
    this.#unsettled.add(layoutOf(known.mapping));
    for (const rival of this.#candidates().filter(
      ({ shape, id }) => shape === known.shape && id !== known.id,
    )) {
      this.#drop(rival, "retired");
    }
    const layout = layoutOf(known.mapping);
    for (const rule of this.mappings.filter(({ state }) => state === "promoted")) {
      const both = layoutOf(rule.mapping) === layout ? merged(rule.mapping, known.mapping) : undefined;
      if (both !== undefined) {
        this.#put({ ...rule, mapping: both });
        this.#put({ ...known, state: "retired" });
        return;
      }
    }
    this.#put({ ...known, state: "promoted" });
  }

  #drop(known: Known, state: "rejected" | "retired"): void {
    this.#put({ ...known, state });
    this.#unsettle(known);
  }

  #unsettle({ id, mapping }: Known): void {
    this.#unsettled.add(layoutOf(mapping));
    for (const sample of this.samples.filter(({ mappingId }) => mappingId === id)) {
      this.#samples.set(sample.eventId, { ...sample, mappingId: null, tries: 0 });
    }
  }

  /** Each event to the first mapping in force that reads it; a candidate whose events refuse it is retired. */
  #settle(): void {
    for (const known of this.#candidates()) {
      const { agreeing, verdict } = this.#judged(known);
      if (agreeing > 0 && verdict.refusals.length > 0) {
        this.#drop(known, "retired");
      }
    }
    for (const sample of this.samples.filter(({ mappingId }) => mappingId === null)) {
      const reader = readerOf(this.mappings, sample.leaves);
      if (reader !== undefined) {
        this.#samples.set(sample.eventId, { ...sample, mappingId: reader.id });
      }
    }
  }

  /** Events that a mapping reads, those first that show all of its statuses and reasons. */
  #evidence(known: Known): readonly Sample[] {
    const fitting = this.samples.filter(
      ({ mappingId, leaves }) =>
        (mappingId === known.id || this.#mappings.get(mappingId ?? "")?.shape === known.shape) &&
        fitOf(known, leaves) === "fits",
    );
    const key = ({ leaves }: Sample) =>
      keyAt(leaves, [...known.mapping.status.paths, ...(known.mapping.reason?.paths ?? [])]);
    return various(fitting, key);
  }

  #candidates(): readonly Known[] {
    return this.mappings.filter(({ state }) => state === "candidate");
  }

  #isLeader(known: Known): boolean {
    return inForce(this.mappings.filter(({ shape }) => shape === known.shape))[0]?.id === known.id;
  }

  #fits(mapping: Mapping, samples: readonly Sample[], leaves: Leaves): boolean {
    return fitOf(this.#known(mapping, pathsOf(samples)), leaves) === "fits";
  }

  #known(mapping: Mapping, paths: readonly string[]): Known {
    const id = newId();
    return {
      id,
      family: this.name,
      shape: id,
      mapping,
      paths,
      state: "candidate",
      votes: 1,
      confirmations: 0,
      waitsFor: null,
    };
  }

  #put(known: Known): void {
    this.#mappings.set(known.id, known);
  }
}

export interface FamilyState {
  readonly mappings: readonly Known[];
  readonly samples: readonly Sample[];
}

const pathsOf = (samples: readonly Sample[]): readonly string[] =>
  [...new Set(samples.flatMap(({ leaves }) => [...leaves.keys()]))].sort();

/** Of the same places and unit, of whatever kinds; a status that means something else is another mapping, which may be right. */
const isLike = (rejected: Mapping, other: Mapping): boolean => {
  const [one, two] = [rejected, { ...other, kinds: rejected.kinds }];
  return layoutOf(one) === layoutOf(two) && merged(one, two) !== undefined;
};

/** One of each kind first, the latest ones: they show most. */
function various(samples: readonly Sample[], keyOf = enumKey): readonly Sample[] {
  const seen = new Set<string>();
  const firsts = samples.toReversed().filter((sample) => {
    const key = keyOf(sample);
    return !seen.has(key) && seen.add(key);
  });
  const chosen = new Set(firsts);
  return [...firsts, ...samples.toReversed().filter((sample) => !chosen.has(sample))];
}

/** Its short words: kinds, statuses, reasons, whichever they are. */
const enumKey = ({ leaves }: Sample): string =>
  [...leaves.values()]
    .filter(
      ({ path, text }) =>
        /stat|estado|result|type|tipo|event|kind|reason|motiv|code/i.test(path) &&
        /^[\w .-]{1,40}$/.test(text) &&
        !/\d{3}/.test(text),
    )
    .map(({ text }) => text)
    .join(" ");

/** Kinds are told from events, not by the model: what tells them apart and is no status. */
function withKinds(proposal: Proposal, samples: readonly Sample[]): Mapping {
  const paths = kindPathsOf(samples.map(({ leaves }) => leaves)).filter(
    (path) => !proposal.status.paths.includes(path),
  );
  const values = Object.fromEntries(samples.map(({ leaves }) => [keyAt(leaves, paths), true as const]));
  return { kinds: { paths, values }, ...proposal };
}

/** Without the kinds, statuses and reasons that none of the events shows: nothing is known of them. */
function narrowed(mapping: Mapping, samples: readonly Sample[]): Mapping {
  const { kinds, status, reason } = mapping;
  return {
    ...mapping,
    kinds: shown(kinds, samples),
    status: shown(status, samples),
    reason: reason && shown(reason, samples),
  };
}

function shown<Meaning>({ paths, values }: Keyed<Meaning>, samples: readonly Sample[]): Keyed<Meaning> {
  const keys = new Set(samples.map(({ leaves }) => keyAt(leaves, paths)));
  return { paths, values: Object.fromEntries(Object.entries(values).filter(([key]) => keys.has(key))) };
}

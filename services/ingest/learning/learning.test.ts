import { describe, expect, it } from "vitest";
import {
  type Asked,
  randomOf,
  rightAnswer,
  type TrueEvent,
  UnknownProvider,
  wrongAnswer,
} from "../../../tests/harness/unknown_provider.js";
import { Family } from "./family.js";
import { type Known, readerOf } from "./known.js";
import { leavesOf } from "./leaves.js";
import { layoutOf, type Mapping } from "./mapping.js";
import { promptFor } from "./prompt.js";
import { type ModelAnswer, proposalOf } from "./proposal.js";
import { readMapped } from "./read.js";

const NOW = new Date("2026-11-20T12:00:00Z");

/** A family with a model that answers at once: its calls, and those that it answered wrong. */
class Trial {
  readonly family = new Family("unknown http json", { mappings: [], samples: [], now: () => NOW });
  readonly answer: (asked: Asked) => { readonly answer: ModelAnswer; readonly wrong: boolean };
  calls = 0;
  wrong = 0;

  constructor(answer: Trial["answer"]) {
    this.answer = answer;
  }

  feed(events: readonly TrueEvent[]): void {
    for (const { id, document } of events) {
      this.family.add(id, leavesOf(document));
    }
  }

  /** Asks until nothing is to be asked, or so often. */
  ask(most = Number.POSITIVE_INFINITY): void {
    for (let n = 0; n < most; n++) {
      const call = this.family.call();
      if (call === undefined) {
        return;
      }
      const { answer, wrong } = this.answer(JSON.parse(promptFor(call.samples).user) as Asked);
      this.calls += 1;
      this.wrong += wrong ? 1 : 0;
      this.family.learn(call, proposalOf(JSON.stringify(answer)));
    }
  }

  get rules() {
    return this.family.mappings.filter(({ state }) => state === "promoted");
  }

  read({ document }: TrueEvent): object | undefined {
    const leaves = leavesOf(document);
    const reader = readerOf(this.family.mappings, leaves);
    if (reader === undefined) {
      return undefined;
    }
    const { amount, unreadable, isUnitUnknown, occurredAt, ...fields } = readMapped(reader.mapping, leaves);
    return { ...fields, occurredAt: occurredAt?.toISOString() };
  }
}

const right = (asked: Asked) => ({ answer: rightAnswer(asked), wrong: false });
const wrongOneInFive = (seed: number) => {
  const random = randomOf(seed * 7919 + 1);
  return (asked: Asked) => {
    const wrong = random() < 0.2;
    return { answer: wrong ? wrongAnswer(asked, random) : rightAnswer(asked), wrong };
  };
};

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe("a model that is always right", () => {
  it("is asked fewer than 20 times for 5,000 variants, and makes fewer than 10 rules that read all of them", () => {
    const provider = new UnknownProvider(1, "cents by name");
    const trial = new Trial(right);
    const events = times(5_000, () => provider.next());
    const curve: number[] = [];
    for (let at = 0; at < events.length; at += 1_000) {
      const before = trial.calls;
      for (let n = at; n < at + 1_000; n += 20) {
        trial.feed(events.slice(n, n + 20));
        trial.ask(1);
      }
      curve.push(trial.calls - before);
    }
    expect(trial.calls).toBeLessThan(20);
    expect(trial.rules.length).toBeGreaterThan(0);
    expect(trial.rules.length).toBeLessThan(10);
    expect(curve.slice(-2)).toEqual([0, 0]);
    for (const event of events) {
      expect(trial.read(event)).toEqual(event.truth);
    }
  });

  it("makes no rule of an amount whose unit nothing else tells, until a person accepts it", () => {
    const provider = new UnknownProvider(2, "nothing tells");
    const trial = new Trial(right);
    trial.feed(times(400, () => provider.next()));
    trial.ask();
    expect(trial.rules).toEqual([]);
    const [candidate] = trial.family.mappings;
    trial.family.decide(candidate?.id ?? "", "accept");
    expect(trial.rules.map(({ id }) => id)).toEqual([candidate?.id]);
  });
});

it("one event is enough to be served, in the words and the notation of its country", () => {
  const document = {
    operacion: {
      codigo: "OP-2025-99812",
      importe: { valor: "1.540,50", divisa: "ARS" },
      resultado: "RECHAZADA",
      motivo: "Saldo insuficiente",
    },
    comercio: { razonSocial: "Librería Austral", pais: "Argentina" },
    fecha: "20/11/2025 14:05:00 -03:00",
  };
  const answer: ModelAnswer = {
    status: { paths: ["/operacion/resultado"], values: [{ texts: ["RECHAZADA"], category: "DECLINED" }] },
    amount: { path: "/operacion/importe/valor", unit: "major" },
    currency: "/operacion/importe/divisa",
    id: "/operacion/codigo",
    payment_ref: null,
    occurred_at: { path: "/fecha", format: "dmy" },
    merchant: "/comercio/razonSocial",
    country: "/comercio/pais",
    reason: {
      paths: ["/operacion/motivo"],
      values: [{ texts: ["Saldo insuficiente"], reason: "INSUFFICIENT_FUNDS" }],
    },
  };
  const trial = new Trial(() => ({ answer, wrong: false }));
  const event = { id: "1", document } as unknown as TrueEvent;
  trial.feed([event]);
  trial.ask();
  expect(trial.read(event)).toEqual({
    status: "DECLINED",
    reason: "INSUFFICIENT_FUNDS",
    amountMinor: 154_050n,
    currency: "ARS",
    merchant: "Librería Austral",
    country: "AR",
    occurredAt: "2025-11-20T17:05:00.000Z",
    id: "OP-2025-99812",
    paymentRef: null,
  });
  // A status that nobody has seen is none of the others.
  const unseen = { ...document, operacion: { ...document.operacion, resultado: "ANULADA" } };
  expect(trial.read({ ...event, document: unseen })).toBeUndefined();
});

it("an error that a model makes each time becomes a rule; reject takes it back, and its like is refused", () => {
  const provider = new UnknownProvider(3, "decimal text");
  const wrong = (asked: Asked) => ({
    answer: { ...rightAnswer(asked), payment_ref: "/event_id" },
    wrong: true,
  });
  const trial = new Trial(wrong);
  const events = times(200, () => provider.next());
  trial.feed(events);
  trial.ask();
  const [rule] = trial.rules;
  const layout = layoutOf(rule?.mapping as Mapping);
  // What it read as a candidate has no key: it is read anew.
  expect(trial.family.unsettled).toContain(layout);
  const told = new Family(trial.family.name, trial.family);
  told.decide(rule?.id ?? "", "reject");
  expect(told.unsettled).toEqual([layout]);
  trial.family.decide(rule?.id ?? "", "reject");
  expect(trial.family.samples.filter(({ mappingId }) => mappingId === rule?.id)).toEqual([]);
  trial.ask();
  expect(trial.family.mappings.filter(({ mapping }) => layoutOf(mapping) === layout)).toMatchObject([
    { state: "rejected" },
  ]);
  const corrected = new Family(trial.family.name, {
    mappings: trial.family.mappings,
    samples: trial.family.samples.map((sample) => ({ ...sample, tries: 0 })),
    now: () => NOW,
  });
  for (let call = corrected.call(); call !== undefined; call = corrected.call()) {
    const answer = rightAnswer(JSON.parse(promptFor(call.samples).user) as Asked);
    corrected.learn(call, proposalOf(JSON.stringify(answer)));
  }
  expect(
    corrected.mappings.some(
      ({ state, mapping }) => state === "promoted" && mapping.paymentRef !== "/event_id",
    ),
  ).toBe(true);
});

it("what a person rejected is not taken again for one status more, but for another meaning", () => {
  const provider = new UnknownProvider(5, "nothing tells");
  let category: "DECLINED" | "FAILED" = "DECLINED";
  const trial = new Trial((asked) => {
    const answer = rightAnswer(asked);
    const values = answer.status.values.map((value) =>
      value.texts[1] === "REFUSED" ? { ...value, category } : value,
    );
    return { answer: { ...answer, status: { ...answer.status, values } }, wrong: false };
  });
  const events = times(60, () => provider.next()).filter(({ document }) => "payment" in document);
  const feed = (...states: string[]) => {
    trial.feed(events.filter(({ truth }) => states.includes(truth.status)).slice(0, 12));
    trial.ask();
    return trial.family.mappings.map(({ state }) => state);
  };
  expect(feed("DECLINED")).toEqual(["candidate"]);
  trial.family.decide(trial.family.mappings[0]?.id ?? "", "reject");
  expect(feed("PENDING")).toEqual(["rejected"]);
  category = "FAILED";
  trial.feed(events);
  trial.ask();
  expect(
    trial.family.mappings.map(({ state, mapping }) => [state, Object.values(mapping.status.values)]),
  ).toEqual([
    ["rejected", ["DECLINED"]],
    ["candidate", expect.arrayContaining(["FAILED"])],
  ]);
  // Places and unit that are a rule's are not what was rejected.
  trial.family.decide(trial.family.mappings[1]?.id ?? "", "accept");
  const [{ document } = { document: {} }] = events;
  const late = { ...document, payment: { ...(document as { payment: object }).payment, state: "LATE" } };
  trial.family.add("late", leavesOf(late));
  const samples = trial.family.samples.filter(({ eventId }) => eventId === "late");
  const answer = rightAnswer(JSON.parse(promptFor(samples).user) as Asked);
  const call = { purpose: "learn", mappingId: null, samples } as const;
  const learned = trial.family.learn(call, proposalOf(JSON.stringify(answer)));
  expect(learned).toEqual({ outcome: "new", refusals: [] });
});

/** Whether a promoted mapping reads like the right one: what is wrong in it. */
function errorsOf(mapping: Mapping, truth: Mapping): { readonly unit: boolean; readonly other: boolean } {
  const unit = mapping.amount?.path === truth.amount?.path && mapping.amount?.unit !== truth.amount?.unit;
  const statuses = Object.entries(mapping.status.values).some(
    ([key, category]) => truth.status.values[key] !== category,
  );
  return {
    unit,
    other: !unit && (layoutOf({ ...mapping, kinds: truth.kinds }) !== layoutOf(truth) || statuses),
  };
}

/** Whether a rule reads an event's amount some powers of ten away from what it is. */
function isWrongUnit(trial: Trial, { id, mapping }: Known, { document, truth }: TrueEvent): boolean {
  const leaves = leavesOf(document);
  if (readerOf(trial.family.mappings, leaves)?.id !== id || mapping.amount?.path.endsWith("/fee")) {
    return false;
  }
  const { amountMinor } = readMapped(mapping, leaves);
  return amountMinor !== null && amountMinor !== truth.amountMinor;
}

it("over 200 seeds of a model that errs once in five no wrong unit becomes a rule, at most 1 % of other errors, and reject undoes them", () => {
  let wrongAnswers = 0;
  let wrongUnits = 0;
  const undone: boolean[] = [];
  let promoted = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const provider = new UnknownProvider(seed);
    const trial = new Trial(wrongOneInFive(seed));
    const events = times(105, () => provider.next());
    for (let n = 0; n < events.length; n += 15) {
      trial.feed(events.slice(n, n + 15));
      trial.ask(3);
    }
    wrongAnswers += trial.wrong;
    for (const rule of trial.rules) {
      promoted += 1;
      const kind = rule.mapping.status.paths.at(-1)?.split("/")[1] ?? "";
      const like = events
        .filter(({ document }) => kind in document)
        .map(({ id, document }) => ({ eventId: id, leaves: leavesOf(document), mappingId: null, tries: 0 }));
      const asked = JSON.parse(promptFor(like).user) as Asked;
      const errors = errorsOf(rule.mapping, {
        kinds: { paths: [], values: {} },
        ...proposalOf(JSON.stringify(rightAnswer(asked))),
      } as Mapping);
      wrongUnits += errors.unit || events.some((event) => isWrongUnit(trial, rule, event)) ? 1 : 0;
      if (errors.other) {
        const told = new Family(trial.family.name, trial.family);
        told.decide(rule.id, "reject");
        undone.push(told.unsettled.includes(layoutOf(rule.mapping)));
      }
    }
  }
  expect(promoted).toBeGreaterThan(100);
  expect(wrongAnswers).toBeGreaterThan(100);
  expect(wrongUnits).toBe(0);
  expect(undone.length).toBeLessThanOrEqual(wrongAnswers / 100);
  expect(undone).not.toContain(false);
}, 120_000);

import { FakeModel } from "../../tests/harness/fake_model.js";
import {
  randomOf,
  rightAnswer,
  UNIT_STYLES,
  UnknownProvider,
  wrongAnswer,
} from "../../tests/harness/unknown_provider.js";
import { latenciesOf } from "../percentiles.js";
import { timeAll } from "./http.js";
import type { UnknownFigures, UnknownPart } from "./measured.js";

/** The model takes as long as real ones do for a short answer, and is wrong once in five. */
const MODEL = { delayMs: 800, errors: 0.2 };
/** Of how its units look there are seven: each is there twice. */
const PROVIDERS = 2 * UNIT_STYLES.length;
const AT_ONCE = 8;
/** Told apart, to see the calls fall: with those seeds learning is through after some 60 s, by the fifth part. */
const PART = { events: 5_000, times: 12 };

/** A model to ask, for the length of `work`. */
export async function withModel<T>(work: (model: FakeModel) => Promise<T>): Promise<T> {
  const model = await FakeModel.start();
  const random = randomOf(1);
  model.delayMs = MODEL.delayMs;
  model.answer = (asked) => (random() < MODEL.errors ? wrongAnswer(asked, random) : rightAnswer(asked));
  try {
    return await work(model);
  } finally {
    await model.close();
  }
}

/** Tells events of providers that no rule knows, one by one, so many at once; the service asks `model` about them. */
export async function measureUnknown(url: string, model: FakeModel): Promise<UnknownFigures> {
  const providers = Array.from(
    { length: PROVIDERS },
    (_, i) => new UnknownProvider(i + 1, UNIT_STYLES[i % UNIT_STYLES.length]),
  );
  const parts: UnknownPart[] = [];
  while (parts.length < PART.times) {
    const before = model.requests.length;
    const methods: Record<string, number> = {};
    const questions = Array.from({ length: PART.events }, (_, i) => {
      const place = i % PROVIDERS;
      const { document } = (providers[place] as UnknownProvider).next();
      const body = JSON.stringify({ raw_event: document, provider: `unknown-${place}` });
      return { method: "POST", url: `${url}/api/v1/events`, content: { body, type: "application/json" } };
    });
    const us = await timeAll(questions, AT_ONCE, (answer) => {
      const { normalization_method: method } = JSON.parse(answer) as { normalization_method: string };
      methods[method] = (methods[method] ?? 0) + 1;
    });
    const callsPer1000 = ((model.requests.length - before) * 1_000) / PART.events;
    parts.push({ ...latenciesOf(us), methods, callsPer1000 });
  }
  return { providers: PROVIDERS, parts };
}

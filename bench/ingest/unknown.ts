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
import type { UnknownFigures } from "./measured.js";

/** The model takes as long as real ones do for a short answer, and is wrong once in five. */
const MODEL = { delayMs: 800, errors: 0.2 };
/** Of how its units look there are seven: each is there twice. */
const PROVIDERS = 2 * UNIT_STYLES.length;
const AT_ONCE = 8;
/** Parts that are told apart, to see the calls fall. */
const PARTS = 5;

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
export async function measureUnknown(url: string, model: FakeModel, events: number): Promise<UnknownFigures> {
  const providers = Array.from(
    { length: PROVIDERS },
    (_, i) => new UnknownProvider(i + 1, UNIT_STYLES[i % UNIT_STYLES.length]),
  );
  const us: number[] = [];
  const methods: Record<string, number> = {};
  const callsPer1000: number[] = [];
  const each = Math.ceil(events / PARTS);
  for (let part = 0; part < PARTS; part++) {
    const before = model.requests.length;
    const questions = Array.from({ length: each }, (_, i) => {
      const place = i % PROVIDERS;
      const { document } = (providers[place] as UnknownProvider).next();
      const body = JSON.stringify({ raw_event: document, provider: `unknown-${place}` });
      return { method: "POST", url: `${url}/api/v1/events`, content: { body, type: "application/json" } };
    });
    const took = await timeAll(questions, AT_ONCE, (answer) => {
      const { normalization_method: method } = JSON.parse(answer) as { normalization_method: string };
      methods[method] = (methods[method] ?? 0) + 1;
    });
    us.push(...took);
    callsPer1000.push(((model.requests.length - before) * 1_000) / each);
  }
  return { events: each * PARTS, providers: PROVIDERS, callsPer1000, methods, ...latenciesOf(us) };
}

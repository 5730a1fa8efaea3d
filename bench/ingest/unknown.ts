import type { Method } from "../../services/ingest/domain/normalised.js";
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

/** It takes as long as we take a real one to, and is wrong once in five. */
const MODEL = { delayMs: 800, errors: 0.2 };
/** Of how its units look there are seven: each is there twice. */
const PROVIDERS = 2 * UNIT_STYLES.length;
const AT_ONCE = 8;
/** Events of a part. Learning takes time, some 60 s, however many events come: parts go on until it is through. */
const EVENTS = 5_000;
/** So many parts in a row without a call take some 25 s: most of what failed would have been asked about again. */
const QUIET = 4;
const MAX_PARTS = 60;

/** What the service is told: to ask, as long as it likes, and with the contract's time to wait for it. */
const ASKING = {
  ENABLE_AI_NORMALIZATION: "true",
  INGEST_AI_CALLS_PER_HOUR: "1000000",
  INGEST_AI_WAIT_MS: "1500",
};

/** Has a model to ask for the length of `work`, and settings of a service that asks it. */
export async function withModel<T>(
  work: (model: FakeModel, env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const model = await FakeModel.start();
  const random = randomOf(1);
  model.delayMs = MODEL.delayMs;
  model.answer = (asked) => (random() < MODEL.errors ? wrongAnswer(asked, random) : rightAnswer(asked));
  try {
    return await work(model, { ...ASKING, OPENAI_API_KEY: "sk-bench", OPENAI_BASE_URL: model.url });
  } finally {
    await model.close();
  }
}

export interface UnknownLoad {
  readonly url: string;
  /** Which the service there asks. */
  readonly model: FakeModel;
  readonly signal: AbortSignal;
}

/** Tells events of providers that no rule knows, one by one, so many at once, until the model is asked no more. */
export async function measureUnknown({ url, model, signal }: UnknownLoad): Promise<UnknownFigures> {
  const providers = Array.from(
    { length: PROVIDERS },
    (_, i) => new UnknownProvider(i + 1, UNIT_STYLES[i % UNIT_STYLES.length]),
  );
  const parts: UnknownPart[] = [];
  const isQuiet = () => parts.length >= QUIET && parts.slice(-QUIET).every(({ calls }) => calls === 0);
  while (parts.length < MAX_PARTS && !isQuiet()) {
    signal.throwIfAborted();
    const before = model.requests.length;
    const methods: Record<Method, number> = { rule: 0, learned: 0, ai: 0, none: 0 };
    let unknowable = 0;
    const questions = Array.from({ length: EVENTS }, (_, i) => {
      const place = i % PROVIDERS;
      const { document, truth } = (providers[place] as UnknownProvider).next();
      // In hundredths, which it has not.
      unknowable += truth.currency === "CLP" ? 1 : 0;
      const body = JSON.stringify({ raw_event: document, provider: `unknown-${place}` });
      return { method: "POST", url: `${url}/api/v1/events`, content: { body, type: "application/json" } };
    });
    const us = await timeAll(questions, AT_ONCE, (answer) => {
      methods[(JSON.parse(answer) as { normalization_method: Method }).normalization_method] += 1;
    });
    parts.push({ ...latenciesOf(us), methods, unknowable, calls: model.requests.length - before });
  }
  return { providers: PROVIDERS, parts };
}

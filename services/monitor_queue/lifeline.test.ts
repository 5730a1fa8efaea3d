import { afterEach, expect, it } from "vitest";
import { type Logger, silentLogger } from "../../lib/observability/log.js";
import { deferred } from "../../lib/timing.js";
import { eventually } from "../../tests/harness/eventually.js";
import type { Attempt } from "./client.js";
import { Holds } from "./holds.js";
import { Lifeline } from "./lifeline.js";

const never = new AbortController().signal;
const accepted = (as_of: string): Attempt => ({
  ...{ verdict: "accepted", result: "200", retryAfterS: 0 },
  text: JSON.stringify({ as_of }),
});
const failed: Attempt = { verdict: "failed", result: "TIMEOUT", retryAfterS: 0, text: "" };

let lifeline: Lifeline | undefined;
afterEach(() => lifeline?.stop());

function started(answers: (Attempt | Promise<Attempt>)[]) {
  const stopping = new AbortController();
  const said: (string | null)[] = [];
  const warned: string[] = [];
  const warn = (_fields: object, message: string) => warned.push(message);
  const line = new Lifeline({
    ...{
      holder: "h",
      holds: new Holds(),
      logger: Object.assign(Object.create(silentLogger), { warn }) as Logger,
      leaseMs: 5_000,
      stopping: stopping.signal,
      caughtUp: async () => undefined,
    },
    client: {
      send: async (_method, _path, body) => {
        said.push((body as { as_of: string | null }).as_of);
        return answers.shift() ?? failed;
      },
    },
  });
  lifeline = line;
  return { line, said, warned, stopping };
}

it("says with what it holds the time of the answer before; an answer that did not come gives none", async () => {
  const { line, said } = started([accepted("one"), failed, accepted("two"), accepted("three")]);
  await line.start();
  for (let n = 1; n <= 4; n += 1) {
    await eventually("said", () => said.length === n);
    line.renewNow();
  }
  expect(said.slice(0, 4)).toEqual([null, "one", "one", "two"]);
});

it("tells of a monitor that is away at the second failure, once, and when it answers again; not as the process ends", async () => {
  const answers = Array.from({ length: 10 }, () => deferred<Attempt>());
  const { line, said, warned, stopping } = started(answers.map(({ promise }) => promise));
  await line.start();
  /** Resolves when the answer is noted: the next renewal has begun. */
  const answer = async (attempt: Attempt) => {
    await eventually("asked", () => said.length > 0);
    const asked = said.length;
    answers[asked - 1]?.resolve(attempt);
    line.renewNow();
    await eventually("asked again", () => said.length === asked + 1);
  };
  const away = "the monitor is away; reports wait";
  const back = "the monitor answers; going on";
  const steps: [Attempt, string[]][] = [
    [failed, []],
    [accepted("one"), []],
    [failed, []],
    [failed, [away]],
    [failed, [away]],
    [accepted("two"), [away, back]],
  ];
  for (const [attempt, told] of steps) {
    await answer(attempt);
    expect([line.isAway, warned]).toEqual([attempt === failed, told]);
  }
  stopping.abort();
  await answer(failed);
  await answer(failed);
  expect([line.isAway, warned]).toEqual([true, [away, back]]);
  answers.at(said.length - 1)?.resolve(failed);
});

// Within less time than a wait has.
it("wakes whoever waits for an answer, and nobody by an older one", { timeout: 2_000 }, async () => {
  const { line } = started([]);
  line.heard(10);
  expect(await line.answersSince(5, never)).toBe(true);
  const waiting = line.answersSince(10, never);
  line.heard(10);
  line.heard(11);
  expect(await waiting).toBe(true);
  expect(await line.answersSince(11, AbortSignal.abort())).toBe(false);
});

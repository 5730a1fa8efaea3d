import { afterEach, expect, it } from "vitest";
import { type Logger, silentLogger } from "../../lib/observability/log.js";
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

function started(answers: Attempt[]) {
  const said: (string | null)[] = [];
  const warned: string[] = [];
  const warn = (_fields: object, message: string) => warned.push(message);
  const line = new Lifeline({
    ...{
      holder: "h",
      holds: new Holds(),
      logger: Object.assign(Object.create(silentLogger), { warn }) as Logger,
      leaseMs: 5_000,
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
  return { line, said, warned };
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

it("tells of a monitor that is away at the second failure, once, and when it answers again", async () => {
  const { line, said, warned } = started([
    accepted("one"),
    failed,
    accepted("two"),
    failed,
    failed,
    failed,
    accepted("three"),
  ]);
  await line.start();
  for (let n = 1; n <= 7; n += 1) {
    await eventually("said", () => said.length === n);
    await eventually("noted", () => line.isAway === [2, 4, 5, 6].includes(n));
    line.renewNow();
  }
  await eventually("told", () => warned.length === 2);
  expect(warned).toEqual(["the monitor is away; reports wait", "the monitor answers; going on"]);
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

import { expect, it } from "vitest";
import { CoreError } from "../../lib/core_errors.js";
import { silentLogger as logger } from "../../lib/observability/log.js";
import { deferred } from "../../lib/timing.js";
import { Source } from "./source.js";

it("what it said last stays, as old as it says", async () => {
  let answer: () => Promise<number> = async () => 1;
  const source = new Source({ name: "it", ask: () => answer(), logger });
  expect([source.value, source.state]).toMatchObject([undefined, { state: "unknown", as_of: null }]);
  await source.ask();
  const up = source.state;
  expect([source.value, up]).toMatchObject([1, { state: "up", code: null }]);
  answer = () => Promise.reject(new CoreError("RABBITMQ_UNREACHABLE", "it is away."));
  await source.ask();
  expect([source.value, source.state]).toMatchObject([
    1,
    { state: "away", as_of: up.as_of, code: "RABBITMQ_UNREACHABLE" },
  ]);
  answer = async () => 2;
  await source.ask();
  expect([source.value, source.state.state]).toEqual([2, "up"]);
});

it("one question is under way at a time", async () => {
  const answer = deferred<number>();
  let asked = 0;
  const source = new Source({
    ...{ name: "it", logger },
    ask: () => {
      asked += 1;
      return answer.promise;
    },
  });
  const both = Promise.all([source.ask(), source.ask()]);
  answer.resolve(1);
  await both;
  expect([asked, source.value]).toEqual([1, 1]);
});

it("it is not asked before it is due", async () => {
  let asked = 0;
  const source = new Source({ name: "it", ask: async () => ++asked, logger, everyMs: 60_000 });
  await source.ask();
  await source.ask();
  expect(asked).toBe(1);
});

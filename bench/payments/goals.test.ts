import { expect, it } from "vitest";
import { goalsOf, isBorne, type SteadyFigures } from "./goals.js";

const figures: SteadyFigures = {
  ratePerMin: 100_000,
  seconds: 60,
  seed: 1,
  traffic: 1,
  layout: "one",
  sent: 100_000,
  created: 100_000,
  failures: {},
  postMs: { p50: 9, p95: 74, p99: 100, max: 200 },
  settledMs: { p50: 50, p95: 300, p99: 500 },
  pending: 0,
  drainedS: 0.2,
  cpuUs: { node: 400, rabbitmq: 400, postgres: 200, generator: 60 },
  lateMs: 10,
  peakMb: 300,
  differences: [],
};
const missed = (change: Partial<SteadyFigures>) =>
  goalsOf({ steady: [{ ...figures, ...change }], wallet: [] })
    .filter(({ reached }) => !reached)
    .map(({ what }) => what.replace(/^.*: /, ""));

it.each([
  [{}, []],
  [{ postMs: { ...figures.postMs, p95: 75 } }, ["POST p95 ms"]],
  [{ ratePerMin: 80_000, postMs: { ...figures.postMs, p95: 60 } }, ["POST p95 ms"]],
  [{ ratePerMin: 60_000, postMs: { ...figures.postMs, p95: 60 } }, []],
  [{ layout: "all" as const, postMs: { ...figures.postMs, p95: 75 } }, []],
  [{ layout: "dump" as const, settledMs: { ...figures.settledMs, p95: 2_000 } }, []],
  [{ settledMs: { ...figures.settledMs, p95: 2_000 } }, ["settled p95 ms"]],
  [{ pending: 1 }, ["payments settled"]],
  [{ created: 99_999 }, ["payments settled"]],
  [{ differences: ["x"] }, ["differences of the audit"]],
  [{ peakMb: 500 }, ["memory of a process, MB"]],
])("of a steady load with %j the missed goals are %j", (change, expected) => {
  expect(missed(change)).toEqual(expected);
});

it("a rate is borne when all is created and decided, and nobody waits long", () => {
  expect(isBorne(figures)).toBe(true);
  for (const change of [{ pending: 1 }, { created: 1 }, { postMs: { ...figures.postMs, p95: 80 } }]) {
    expect(isBorne({ ...figures, ...change })).toBe(false);
  }
});

it("capacity and the wallet alone have goals of their own", () => {
  const wallet = { debits: 1, cpuUs: { node: 1, rabbitmq: 1, postgres: 1 }, peakMb: 1 };
  const goals = goalsOf({
    steady: [],
    capacity: { borne: 90_000, notBorne: 100_000 },
    wallet: [
      { load: "spread", debitsPerS: 6_000, ...wallet },
      { load: "hot", debitsPerS: 2_999, ...wallet },
    ],
  });
  expect(goals.map(({ reached }) => reached)).toEqual([false, true, false]);
});

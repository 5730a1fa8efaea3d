import { setImmediate as nextRound } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ANYTHING, type Disturbance, QUICK_CANCEL } from "./faults.js";
import { type Beginning, Simulation } from "./simulation.js";

/** Some 225 moves and 3 ms each: four seconds of the gate. What is rarer wants a long look: `SIMULATION_SCHEDULES=100000`. */
const SCHEDULES = Number(process.env["SIMULATION_SCHEDULES"] || 1_000);
/** Replays one schedule and prints what happens in it. */
const ONLY_SEED = process.env["SIMULATION_SEED"];
/** Of the trace of a schedule that fails; the seed gives all of it. */
const LAST_MOVES = 15;

/** @returns the trace. @throws when a rule is broken, with the seed. */
async function simulate(
  seed: number,
  beginning: Beginning,
  disturbance = ANYTHING,
): Promise<readonly string[]> {
  const simulation = new Simulation(seed, beginning, disturbance);
  const { trace } = simulation.scheduler;
  try {
    await simulation.run();
  } catch (error) {
    const shown = ONLY_SEED === undefined ? trace.slice(-LAST_MOVES) : trace;
    const message = `${String(error)}\nSIMULATION_SEED=${seed} replays it, begun by ${beginning}, with ${disturbance.name}. It ended with:`;
    throw new Error([message, ...shown].join("\n"), { cause: error });
  }
  return trace;
}

// A bare stage differs in how a run begins, and in nothing after.
describe.each<[Beginning, string, Disturbance, number]>([
  ["a kickoff", ANYTHING.name, ANYTHING, SCHEDULES],
  ["a bare stage", ANYTHING.name, ANYTHING, Math.ceil(SCHEDULES / 10)],
  ["a kickoff", QUICK_CANCEL.name, QUICK_CANCEL, Math.ceil(SCHEDULES / 5)],
])("the state machine, begun by %s, with %s", (beginning, _name, disturbance, schedules) => {
  const timeout = 60_000 + schedules * 50;
  test.runIf(ONLY_SEED === undefined)(`keeps its rules in ${schedules} schedules`, { timeout }, async () => {
    for (let seed = 1; seed <= schedules; seed++) {
      await simulate(seed, beginning, disturbance);
      // Promises alone would starve the test runner.
      await nextRound();
    }
  });

  test.runIf(ONLY_SEED !== undefined)(`keeps its rules in schedule ${ONLY_SEED}`, async () => {
    process.stdout.write(
      `with ${disturbance.name}:\n${(await simulate(Number(ONLY_SEED), beginning, disturbance)).join("\n")}\n`,
    );
  });
});

test("the same seed gives the same schedule, another one another", async () => {
  const traces = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const trace = await simulate(seed, "a kickoff");
    expect(await simulate(seed, "a kickoff")).toEqual(trace);
    traces.add(trace.join());
  }
  expect(traces.size).toBe(20);
});

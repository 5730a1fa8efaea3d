import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { specSchema } from "../../etl/spec.js";
import { stderrLines } from "../../lib/process/stderr.js";
import { main } from "./main.js";
import { readOptions } from "./options.js";
import { loadOf } from "./pipeline/load.js";
import { describeFault, type ScheduleOptions, SERVERS, scheduleOf } from "./schedule.js";

const MINUTE_MS = 60_000;
const options: ScheduleOptions = {
  seed: 1,
  durationMs: 10 * MINUTE_MS,
  processes: ["worker 0", "worker 1"].map((name) => ({ name, uses: SERVERS })),
  processGapMs: [3_000, 18_000],
  longestFreezeMs: 10_000,
  strands: true,
  queues: [
    { name: "one", mayLose: true },
    { name: "other", mayLose: false },
  ],
};
const seeds = fc.integer({ min: 0, max: 4_294_967_295 });

describe("the schedule", () => {
  test("is a pure function of the seed, and differs between seeds", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const events = scheduleOf({ ...options, seed });
        expect(scheduleOf({ ...options, seed })).toEqual(events);
        expect(scheduleOf({ ...options, seed: seed ^ 1 })).not.toEqual(events);
      }),
      { numRuns: 20 },
    );
  });

  test("of a longer time begins like that of a shorter one", () => {
    const short = scheduleOf({ ...options, durationMs: MINUTE_MS });
    expect(scheduleOf(options).slice(0, short.length)).toEqual(short);
  });

  test("has faults of one lane one after the other, within the time, none frozen for longer than allowed", () => {
    const events = scheduleOf(options);
    for (const lane of new Set(events.map((event) => event.lane))) {
      let free = 0;
      for (const { atMs, fault } of events.filter((event) => event.lane === lane)) {
        expect(atMs).toBeGreaterThanOrEqual(free);
        expect(atMs).toBeLessThan(options.durationMs);
        if (fault.kind === "process.freeze") {
          expect(fault.forMs).toBeLessThanOrEqual(options.longestFreezeMs);
        }
        free = atMs + fault.forMs;
      }
    }
  });

  test("has every kind of fault within ten minutes, each told in one line", () => {
    const events = scheduleOf(options);
    expect(new Set(events.map((event) => event.fault.kind)).size).toBe(21);
    for (const { fault } of events) {
      expect(describeFault(fault)).toMatch(new RegExp(`^${fault.kind} .* s$`));
    }
  });

  test("loses nothing that is on its way into a queue that may lose nothing", () => {
    const lost = scheduleOf(options).flatMap(({ fault }) =>
      fault.kind === "message.drop" || fault.kind === "queue.delete" ? [fault.queue] : [],
    );
    expect(new Set(lost)).toEqual(new Set(["one"]));
  });
});

describe("the load", () => {
  test("has just the rows asked for, in runs that may be entered, and no poison twice", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 100_000, max: 10_000_000 }), (seed, rows) => {
        const load = loadOf({ seed, durationMs: 5 * MINUTE_MS, rows });
        const total = load.runs.reduce((sum, run) => sum + run.spec.rows, 0);
        expect(Math.abs(total - rows)).toBeLessThanOrEqual(load.runs.length);
        for (const { spec } of load.runs) {
          specSchema.parse(spec);
        }
        expect(new Set(load.poison.map(({ body }) => body)).size).toBe(load.poison.length);
        expect(loadOf({ seed, durationMs: 5 * MINUTE_MS, rows })).toEqual(load);
      }),
      { numRuns: 20 },
    );
  });
});

describe("options", () => {
  test("have defaults", () => {
    expect(readOptions(["--seed", "7", "--minutes", "0.5"])).toEqual({
      rig: "pipeline",
      seed: 7,
      minutes: 0.5,
      rows: 200_000,
      workers: 2,
      longestFreezeS: 10,
      printSchedule: false,
    });
    expect(readOptions(["services", "--seed", "7", "--minutes", "1"])).toMatchObject({
      rig: "services",
      rate: 50,
    });
  });

  test.each([
    [["--minutes", "1"], "required"],
    [["--seed", "x", "--minutes", "1"], "--seed"],
    [["--seed", "1", "--minutes", "0"], "--minutes"],
    [["--seed", "1", "--minutes", "1", "--rows", ""], "--rows"],
    [["--seed", "1", "--minutes", "1", "--fast"], "--fast"],
    [["--seed", "1", "--minutes", "1", "--rate", "9"], "not for pipeline"],
    [["services", "--seed", "1", "--minutes", "1", "--rows", "9000"], "not for services"],
    [["everything", "--seed", "1", "--minutes", "1"], "everything"],
  ])("%j is refused, saying why", (args, why) => {
    expect(readOptions(args)).toContain(why);
  });

  test("that are wrong end the rig with 2, before it starts anything", async () => {
    const stderr = vi.spyOn(stderrLines, "write").mockReturnValue();
    expect(await main(["--seed", "1"], {})).toBe(2);
    expect(stderr.mock.calls.join()).toContain("--minutes are required");
    stderr.mockRestore();
  });
});

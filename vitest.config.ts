import { defineConfig } from "vitest/config";
import { LongFirst } from "./tests/harness/long_first.js";
import { stacks } from "./tests/harness/stacks.js";

const SERVER_PROJECTS = ["int", "fault", "machines", "monitoring"] as const;
const filesOf = (project: string) => `**/*.${project}.test.ts`;
/** Those that scripts/test.sh --postgres leaves out, and says so. */
const leftOut = (process.env["TEST_LEFT_OUT"] ?? "").split(" ").filter((file) => file !== "");
const never = ["**/node_modules/**", "dist/**", ".local/**"];

/** What tests on real servers have in common: one file at a time on a stack. */
const onServers = {
  setupFiles: ["tests/harness/stack_of_file.ts", "tests/harness/leaks_of_file.ts"],
  /** A test that leaves a process or a connection behind fails. */
  globalSetup: ["tests/harness/leaks_of_run.ts"],
  exclude: [...never, ...leftOut],
  maxWorkers: Math.max(1, stacks.length),
  // A process goes on with the next file of its project: all of ours is imported, and the population built, once.
  isolate: false,
  sequence: { groupOrder: 1 },
  // The longest test takes 90 s on a slow machine.
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

/**
 * The suffix of a test file chooses its project: .test.ts unit, .browser.test.ts the console in Chromium, .int.test.ts real servers,
 * .fault.test.ts faults, .machines.test.ts what takes long (whole machines, for the most part), .monitoring.test.ts with Prometheus.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...never, ...["browser", ...SERVER_PROJECTS].map(filesOf)],
          // Pure functions need no process each: half the time of the default.
          pool: "threads",
          isolate: false,
          testTimeout: 30_000,
        },
      },
      // A browser and a small server of its own for each file; no stack. Two side by side, as two cores have work for that.
      {
        test: {
          name: "browser",
          include: [filesOf("browser")],
          exclude: never,
          maxWorkers: 2,
          // axe and playwright are imported once: 3 s a file.
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 2 },
          expect: { poll: { timeout: 10_000 } },
        },
      },
      ...SERVER_PROJECTS.map((name) => ({ test: { name, ...onServers, include: [filesOf(name)] } })),
    ],
  },
});

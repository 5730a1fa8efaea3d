import { defineConfig } from "vitest/config";
import { LongFirst } from "./tests/harness/long_first.js";
import { stacks } from "./tests/harness/stacks.js";

const SERVER_PROJECTS = ["int", "fault", "machines", "monitoring"] as const;
const filesOf = (project: string) => `**/*.${project}.test.ts`;
const never = ["**/node_modules/**", "dist/**", ".local/**"];

/** What tests on real servers have in common: one file at a time on a stack. */
const onServers = {
  setupFiles: ["tests/harness/stack_of_file.ts", "tests/harness/leaks_of_file.ts"],
  /** A test that leaves a process or a connection behind fails. */
  globalSetup: ["tests/harness/leaks_of_run.ts"],
  exclude: never,
  maxWorkers: Math.max(1, stacks.length),
  // A process goes on with the next file of its project: all of ours is imported, and the population built, once.
  isolate: false,
  sequence: { groupOrder: 1 },
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

/**
 * The suffix of a test file chooses its project: .test.ts unit, .int.test.ts real servers, .fault.test.ts faults, .machines.test.ts
 * what takes long (whole machines, for the most part), .monitoring.test.ts with Prometheus.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...never, ...SERVER_PROJECTS.map(filesOf)],
          // Pure functions need no process each: half the time of the default.
          pool: "threads",
          isolate: false,
          testTimeout: 30_000,
        },
      },
      ...SERVER_PROJECTS.map((name) => ({ test: { name, ...onServers, include: [filesOf(name)] } })),
    ],
  },
});

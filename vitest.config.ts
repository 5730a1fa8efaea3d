import { defineConfig } from "vitest/config";

const serverTests = ["**/*.int.test.ts", "**/*.fault.test.ts", "**/*.monitoring.test.ts"];
/** A test that leaves a process or a connection behind fails. */
const leaks = {
  setupFiles: ["tests/harness/leaks_of_file.ts"],
  globalSetup: ["tests/harness/leaks_of_run.ts"],
};
const never = ["**/node_modules/**", "dist/**", ".local/**"];

/** The suffix of a test file chooses its project: .test.ts unit, .int.test.ts real servers, .fault.test.ts faults, .monitoring.test.ts with Prometheus. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...never, ...serverTests],
          // Pure functions need no process each: half the time of the default.
          pool: "threads",
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "int",
          ...leaks,
          include: ["**/*.int.test.ts"],
          exclude: never,
          // Two cores carry one pipeline at a time; files side by side only slow each other down.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "fault",
          ...leaks,
          include: ["**/*.fault.test.ts"],
          exclude: never,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "monitoring",
          ...leaks,
          include: ["**/*.monitoring.test.ts"],
          exclude: never,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

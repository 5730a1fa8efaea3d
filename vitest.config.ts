import { defineConfig } from "vitest/config";

const serverTests = ["**/*.int.test.ts", "**/*.fault.test.ts", "**/*.monitoring.test.ts"];
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

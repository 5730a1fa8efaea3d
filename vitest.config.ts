import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { stacks } from "./tests/harness/stacks.js";

const serverTests = ["**/*.int.test.ts", "**/*.fault.test.ts", "**/*.monitoring.test.ts"];
const browserTests = "**/*.browser.test.ts";
const never = ["**/node_modules/**", "dist/**", ".local/**"];

/** What tests on real servers have in common: one file at a time on a stack. */
const onServers = {
  setupFiles: ["tests/harness/stack_of_file.ts", "tests/harness/leaks_of_file.ts"],
  /** A test that leaves a process or a connection behind fails. */
  globalSetup: ["tests/harness/leaks_of_run.ts"],
  exclude: never,
  maxWorkers: Math.max(1, stacks.length),
  sequence: { groupOrder: 1 },
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

/** Files of half a minute and more: begun last, they would run on alone. */
const LONG = [
  "saga.fault",
  "monitor.fault",
  "outages.fault",
  "reports.fault",
  "payouts.fault",
  "split.fault",
  "dlq.int",
  "rebuild.int",
  "servers.fault",
  "fault_points.fault",
  "cli.int",
  "proxy.fault",
  "leaf.int",
  "dlq.fault",
  "bootstrap.fault",
  "verify.int",
  "upgrade.fault",
  "patience.fault",
  "backup.int",
  "module.int",
  "backup.fault",
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** The suffix of a test file chooses its project: .test.ts unit, .int.test.ts real servers, .fault.test.ts faults, .monitoring.test.ts with Prometheus, .browser.test.ts in Chromium. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...never, ...serverTests, browserTests],
          // Pure functions need no process each: half the time of the default.
          pool: "threads",
          isolate: false,
          testTimeout: 30_000,
        },
      },
      // A browser and a small server of its own for each file; no stack.
      {
        test: {
          name: "browser",
          include: [browserTests],
          exclude: never,
          maxWorkers: 1,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 2 },
          expect: { poll: { timeout: 10_000 } },
        },
      },
      { test: { name: "int", ...onServers, include: ["**/*.int.test.ts"] } },
      { test: { name: "fault", ...onServers, include: ["**/*.fault.test.ts"] } },
      { test: { name: "monitoring", ...onServers, include: ["**/*.monitoring.test.ts"] } },
    ],
  },
});

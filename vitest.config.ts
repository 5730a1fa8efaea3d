import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
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

/** Files of half a minute and more: begun last, they would run on alone. */
const LONG = [
  "outages.fault",
  "monitor.fault",
  "reports.fault",
  "bootstrap.int",
  "dlq.int",
  "servers.fault",
  "saga.fault",
  "verify.int",
  "cli.int",
  "patience.fault",
  "payouts.fault",
  "fault_points.fault",
  "campaigns.fault",
  "proxy.fault",
  "pipeline.int",
  "erase.int",
  "gateway.fault",
  "leaf.int",
  "dlq.fault",
  "point_in_time_services.int",
  "session.int",
  "upgrade.machines",
  "bootstrap.machines",
  "split.machines",
  "backup.machines",
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    // Project by project, for a process that changes its project begins anew.
    const inProject = (file: TestSpecification) => file.project.name;
    return (await super.sort(files)).sort(
      (a, b) => rank(a) - rank(b) || inProject(a).localeCompare(inProject(b)),
    );
  }
}

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

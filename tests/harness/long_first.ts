import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of half a minute and more: begun last, they would run on alone. */
export const LONG = [
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
  "real_server.int",
  "pages.browser",
  "upgrade.machines",
  "upgrade_services.machines",
  "bootstrap.machines",
  "split.machines",
  "failover.machines",
  "cluster.machines",
  "stack_cluster.machines",
  "managed.machines",
  "replica.machines",
  "backup.machines",
];

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    // A process that changes its project begins anew: so the others go project by project. LONG goes by length alone.
    const inProject = (file: TestSpecification) => file.project.name;
    return (await super.sort(files)).sort(
      (a, b) => rank(a) - rank(b) || inProject(a).localeCompare(inProject(b)),
    );
  }
}

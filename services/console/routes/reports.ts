import { reportSwitch, reports } from "../contracts/reports.js";
import { listGenerations, listSwitches, readServed } from "../store/report.js";
import type { Resources } from "./resources.js";
import { act, look } from "./route.js";

const VERSIONS = ["v1", "v2"] as const;

export const getReports = (resources: Resources) =>
  look(resources, {
    path: "/reports",
    summary: "Which version of the reports is served, and who switched",
    answer: reports,
    handle: async () => {
      const { pool } = resources;
      const [served, generations, switches] = await Promise.all([
        readServed(pool),
        listGenerations(pool),
        listSwitches(pool),
      ]);
      const { epoch, version: active, generation, position, appliedAt, parked } = served;
      return {
        versions: VERSIONS.map((version) => ({
          version,
          active: version === active,
        })),
        ...{ active, epoch, generation },
        position: String(position),
        applied_at: appliedAt.toISOString(),
        parked: Number(parked),
        generations: generations.map(({ changedAt, ...row }) => ({
          ...{ generation: row.generation, state: row.state },
          position: String(row.position),
          changed_at: changedAt.toISOString(),
        })),
        history: switches.map(({ at, ...row }) => ({ ...row, at: at.toISOString() })),
      };
    },
  });

export const postSwitch = (resources: Resources) =>
  act(resources, {
    path: "/reports/switch",
    summary: "Serve another version of the reports",
    request: { body: reportSwitch },
    action: ({ body: { version, epoch } }) => ({
      kind: "reports.switch",
      subject: version,
      thing: "served",
      work: (doer) => resources.platformActions.switchReports({ version, epoch }, doer),
    }),
  });

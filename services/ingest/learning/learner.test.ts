import { expect, it } from "vitest";
import { silentLogger } from "../../../lib/observability/log.js";
import { createRegistry, register } from "../../../lib/observability/registry.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Sample } from "./family.js";
import { Learner } from "./learner.js";
import { learningMetrics } from "./metrics.js";

const sample: Sample = { eventId: "e", leaves: new Map(), mappingId: null, tries: 0 };

it("keeps a flood of made-up providers to 100 families, of which eight are at work at a time", async () => {
  let atWork = 0;
  let most = 0;
  const families = new Set<unknown>();
  const query = async ({ values }: { values: unknown[] }) => {
    families.add(values[0]);
    atWork += 1;
    most = Math.max(most, atWork);
    await new Promise(setImmediate);
    atWork -= 1;
    return { rows: [], rowCount: 0 };
  };
  const learner = new Learner({
    pool: () => ({ query }) as unknown as Pool,
    model: {
      waitMs: 0,
      isDown: false,
      ask: async () => ({ kind: "unreachable", why: "never asked", tokens: 0 }),
    },
    callMs: 1,
    callsPerHour: 1,
    metrics: register(createRegistry(), learningMetrics),
    logger: silentLogger,
    changed: async () => undefined,
  });
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => learner.learn(`p${i} api json`, [sample])));
  expect(families.size).toBe(100);
  expect(most).toBe(8);
});

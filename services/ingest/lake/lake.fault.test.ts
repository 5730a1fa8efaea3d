import { afterEach, beforeEach, expect, test } from "vitest";
import { audit } from "../../../app/audit.js";
import { MODULES } from "../../../app/modules.js";
import { freePort } from "../../../tests/harness/free_port.js";
import { Lake } from "../../../tests/harness/lake.js";
import { payments, startServiceAt } from "../../../tests/harness/process.js";
import { Services } from "../../../tests/harness/service.js";

let services: Services;
let lake: Lake;
beforeEach(async () => {
  services = await Services.create({}, "ingest");
  lake = await Lake.create();
});
afterEach(async () => {
  await services?.close();
  await lake?.drop();
});

/** Before rows are locked, while they are entered, before they are marked, and before the mark is kept. */
const POINTS = ["lake_claim", "COPY ingest.event", "lake_mark", "COMMIT"];

test("kill -9 of two pollers in turn, wherever they are: each row is taken once, and marked", async () => {
  const ROWS = 2_400;
  const settings = { ...services.settings, DATALAKE_DATABASE_URL: lake.url };
  const filled = await payments(
    settings,
    "traffic",
    "--json",
    "--lake",
    String(ROWS),
    "--lake-database",
    lake.name,
  );
  const { traffic: trafficId } = JSON.parse(filled.stdout);
  const doomed = async (point: string) => {
    const fault = { module: "ingest", point, nth: 3, signal: "SIGKILL" } as const;
    const { ended } = startServiceAt({ ...settings, HTTP_PORT: await freePort() }, fault);
    return (await ended).code;
  };
  for (const pair of [POINTS.slice(0, 2), POINTS.slice(2)]) {
    expect(await Promise.all(pair.map(doomed))).toEqual([null, null]);
  }
  expect((await lake.marks()).waiting).toBeGreaterThan(0);
  expect((await payments(settings, "lake-poll", "--once")).code).toBe(0);
  expect(await lake.marks()).toEqual({ marked: ROWS, waiting: 0 });
  const [keys] = await services.owner(
    "SELECT count(*)::int AS rows FROM ingest.event_key WHERE scope = 'source/lake' AND key NOT LIKE '%#%'",
  );
  expect(keys).toEqual({ rows: ROWS });
  const options = { graceS: 0, giveUpS: 0, trafficId, settings: services.settings };
  expect(await audit(services.platform.pool, MODULES, options)).toEqual({ differences: [], unread: [] });
});

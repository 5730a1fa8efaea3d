import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { Platform } from "../../tests/harness/platform.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { SilenceWatch } from "./half_open.js";
import { createPool } from "./pool.js";

let platform: Platform;
let proxy: TcpProxy;
beforeAll(async () => {
  platform = await Platform.create();
  const { POSTGRES_HOST: host, POSTGRES_PORT: port } = platform.settings;
  proxy = await TcpProxy.open(() => ({ host, port }));
});
afterAll(async () => {
  await proxy?.close();
  await platform?.close();
});

test("a connection that is found silent is cut, and those that lie idle with it", async () => {
  // As the platform's own pool names itself: backends are ended by whoever has their role and name.
  const behind = { ...platform.settings, POSTGRES_HOST: "127.0.0.1", POSTGRES_PORT: proxy.port };
  const pool = createPool(behind, { applicationName: "test" });
  for (const client of await Promise.all([pool.connect(), pool.connect(), pool.connect()])) {
    client.release();
  }
  proxy.silence();
  const asked = expect(pool.query("SELECT 1")).rejects.toMatchObject({ code: "POSTGRES_UNREACHABLE" });
  const watch = new SilenceWatch(pool, 2);
  await eventually("found", async () => (await watch.look((query) => platform.pool.query(query))) === 1);
  await asked;
  // Shorter than a pool keeps what lies idle.
  await eventually("all cut", () => pool.totalCount === 0, { withinMs: 5_000 });
  await pool.end();
});

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { etl } from "../../etl/module.js";
import { profileOf } from "../../etl/profile/read.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Place } from "../../lib/probe.js";
import type { Replicas } from "../../lib/runtime/replicas.js";
import { freePort } from "../../tests/harness/free_port.js";
import { Platform } from "../../tests/harness/platform.js";
import type { ContextOf } from "./context.js";
import { profileActions } from "./profile.js";

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.create();
  await platform.load({ rows: 2_000, toOn: "2025-02-01" });
});
afterAll(() => platform.close());

/** Reads where a replica is said to be; who else was asked. */
function reading(place?: Place) {
  const context = { settings: platform.settings, logger: silentLogger, json: true, modules: [etl] };
  const contextOf = (() => ({ ...context, interruption: () => AbortSignal.abort() })) as unknown as ContextOf;
  const failed = vi.fn();
  const replicas = { next: () => place && { place }, failed } as unknown as Replicas;
  return { ...profileActions(contextOf, { replicas }), failed };
}

test("a month is read on a replica, and on the primary when that is away", async () => {
  const { rows, shapes } = await profileOf(platform.pool, "2025-01-01");
  const expected = { rows, shapes: JSON.parse(JSON.stringify(shapes)) };
  const { POSTGRES_HOST: host, POSTGRES_PORT: port } = platform.settings;
  for (const [place, failures] of [
    [undefined, 0],
    [{ host, port }, 0],
    [{ host: "127.0.0.1", port: await freePort() }, 1],
  ] as const) {
    const { profileMonth, failed } = reading(place);
    expect(JSON.parse(JSON.stringify(await profileMonth("2025-01")))).toEqual(expected);
    expect(failed).toHaveBeenCalledTimes(failures);
  }
  const elsewhere = reading({ host, port });
  await expect(elsewhere.profileMonth("2031-01")).rejects.toMatchObject({ code: "MONTH_UNKNOWN" });
  expect(elsewhere.failed).not.toHaveBeenCalled();
});

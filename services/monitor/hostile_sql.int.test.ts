import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { refusal } from "../../tests/harness/refusal.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { Report } from "../contracts/report.js";
import { countDue, decideDue } from "./store/due.js";
import { renewHolder } from "./store/holder.js";
import { noteBack, noteMarker } from "./store/marker.js";
import { enterReports } from "./store/new_report.js";

/** What must not be is refused by PostgreSQL itself: to the service's role, and where that has no say, to the owner too. */
let database: string;
let service: Pool;
const [open, closed, alert, resolved, ended] = [newId(), newId(), newId(), newId(), newId()];

const report = (window_uuid: string, seq: number, remaining_ms = 0): Report => ({
  window_uuid,
  service: "mallory",
  seq,
  status: "ok",
  report_timestamp: "2026-01-01T00:00:00Z",
  window_from: "2026-01-01T00:00:00Z",
  window_to: "2026-01-01T00:01:00Z",
  interval_ms: 10,
  expected_reports: 2,
  remaining_ms,
});
const enter = (...reports: Report[]) => enterReports(service, reports, { graceMs: 0, webhook: false });

beforeAll(async () => {
  database = await createDatabase("migrated");
  const of = { role: "payments_monitor", schema: "monitor", max: 2, applicationName: "hostile" };
  service = createServicePool(testSettings({ POSTGRES_DB: database }), of);
  await enter(report(closed, 1), report(closed, 2), report(alert, 1), report(resolved, 1));
  const holds = (asOf: string | null, ...held: { windowUuid: string; seq: number }[]) =>
    renewHolder(service, { holder: "h", leaseMs: 60_000, asOf, gaveBack: false, held });
  const decided = async () =>
    (await decideDue(service, { limit: 10, webhook: false })).map(({ windowUuid }) => windowUuid);
  const markerBack = async () => {
    const marker = newId();
    expect(await noteMarker(service, marker)).toBe(true);
    expect(await decided()).toEqual([]); // it is not back
    const { known, asOf } = await noteBack(service, marker);
    expect(known).toBe(true);
    return asOf;
  };
  await eventually("all are over", async () => (await countDue(service)).pending === 3);
  const [before, second] = [await holds(null), { windowUuid: alert, seq: 2 }];
  const asOf = await markerBack();
  expect(await decided()).toEqual([]); // nobody has looked since at what it holds
  await holds(before, second);
  expect(await decided()).toEqual([]); // that was looked at before the marker was back
  await holds(asOf, second);
  await holds(before); // came late, and takes nobody's place
  expect((await decided()).toSorted()).toEqual([closed, resolved].toSorted()); // a report of the third is in somebody's hands
  // Nobody was heard for longer than the lease: it has not ended by that.
  await withPool({ role: "admin", database }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    await pool.query("UPDATE monitor.holder SET leased_until = now() - interval '1 min'");
    await pool.query(
      "UPDATE monitor.hearing SET since = now() - interval '1 h', last_at = now() - interval '2 min'",
    );
  });
  expect(await decided()).toEqual([]); // nobody is heard now
  const next = await markerBack();
  expect(await decided()).toEqual([]); // heard again, of one of them
  await holds(next, second);
  expect(await decided()).toEqual([]);
  await holds(next);
  expect(await decided()).toEqual([alert]);
  expect(await enter(report(resolved, 2))).toEqual(["late"]);
  await enter({ ...report(open, 1), expected_reports: 3_000, remaining_ms: 30_000 });
  const long = { expected_reports: 3_000, remaining_ms: 30_000 };
  await enter({ ...report(ended, 1), ...long, last: true });
  expect(await enter({ ...report(ended, 1), ...long, service: "eve" })).toEqual(["conflict"]);
});
afterAll(async () => {
  await service?.end();
  await dropDatabase(database);
});

const set = (what: string, id: string) =>
  `UPDATE monitor.report_window SET ${what} WHERE window_uuid = '${id}'`;
const insert = (id: string, seq: number, late = false) =>
  `INSERT INTO monitor.report (window_uuid, seq, ok, reported_at, late) VALUES ('${id}', ${seq}, true, now(), ${late})`;
const decide = (state: string, received: number) =>
  `state = '${state}', received = ${received}, errors = 0, closed_at = deadline, decided_at = now()`;
const REFUSED = ["42501", "23001"];
const CHECKED = ["23514", "23001"];

describe.each(["the service", "the owner"])("%s cannot", (who) => {
  const as = <T>(work: (pool: Pool) => Promise<T>): Promise<T> =>
    who === "the service"
      ? work(service)
      : withPool({ role: "admin", database }, async (pool) => {
          await pool.query("SET ROLE payments_owner");
          return work(pool);
        });

  test.each<readonly [string, string, readonly string[]]>([
    [
      "open what is decided",
      set("state = 'OPEN', received = NULL, errors = NULL, closed_at = NULL, decided_at = NULL", closed),
      REFUSED,
    ],
    ["make an alert of what is closed", set("state = 'ALERT'", closed), CHECKED],
    ["close an alert", set("state = 'CLOSED'", alert), CHECKED],
    ["resolve what is closed", set("state = 'RESOLVED_LATE'", closed), REFUSED],
    ["raise again what is resolved", set("state = 'ALERT'", resolved), REFUSED],
    ["resolve what is open", set(decide("RESOLVED_LATE", 0), open), REFUSED],
    ["close what lacks reports", set(decide("CLOSED", 1), open), CHECKED],
    ["alert of what lacks none", set(decide("ALERT", 3_000), open), CHECKED],
    ["close what has not the reports that it says", set(decide("CLOSED", 3_000), open), REFUSED],
    ["resolve what lacks reports", set("state = 'RESOLVED_LATE'", alert), REFUSED],
    ["put off a sender's last report", set("last_seq = 2", ended), REFUSED],
    ["forget that a sender ended", set("last_seq = NULL", ended), REFUSED],
    ["end a window that is decided", set("last_seq = 1", alert), REFUSED],
    ["move a marker", "UPDATE monitor.marker SET back_at = back_at + interval '1 s'", REFUSED],
    ["forget a conflict", "DELETE FROM monitor.conflict", REFUSED],
    ["decide by more reports than there are to be", set(decide("CLOSED", 3_001), open), CHECKED],
    ["decide without counting", set("state = 'CLOSED'", open), CHECKED],
    ["change what was counted", set("received = 0", alert), REFUSED],
    ["change when it was decided", set("decided_at = now()", alert), REFUSED],
    ["put a deadline off", set("deadline = deadline + interval '1 s'", open), REFUSED],
    ["change a schedule", set("expected = 1", open), REFUSED],
    ["change whose window it is", set("service = 'eve'", open), REFUSED],
    ["forget a window", `DELETE FROM monitor.report_window WHERE window_uuid = '${open}'`, REFUSED],
    ["forget all windows", "TRUNCATE monitor.report_window CASCADE", REFUSED],
    ["count a report twice", insert(open, 1), ["23505"]],
    ["count a report in time that is late", insert(alert, 2), REFUSED],
    ["count a report late that is in time", insert(open, 2, true), REFUSED],
    ["count a report that is none", insert(alert, 3, true), REFUSED],
    ["count a report of no window", insert(newId(), 1), ["23503", "23001"]],
    ["change a report", "UPDATE monitor.report SET created_at = now() - interval '1 year'", REFUSED],
    ["forget a report", "DELETE FROM monitor.report", REFUSED],
    ["forget all reports", "TRUNCATE monitor.report", REFUSED],
    ["flip twice", `INSERT INTO monitor.flip (window_uuid, state) VALUES ('${alert}', 'ALERT')`, ["23505"]],
    ["change a flip", "UPDATE monitor.flip SET created_at = now() - interval '1 year'", REFUSED],
    ["forget a flip", "DELETE FROM monitor.flip", REFUSED],
    ["hold what it does not name", "UPDATE monitor.holder SET held_seqs = '{1,2}'", ["23514"]],
  ])("%s", async (_, sql, codes) => {
    expect(codes).toContain(await as((pool) => refusal(pool, sql)));
  });
});

test("the states are what the reports say", async () => {
  await withPool({ role: "admin", database }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    const { rows } = await pool.query(
      "SELECT window_uuid AS id, state FROM monitor.report_window ORDER BY id",
    );
    const states = [
      [open, "OPEN"],
      [closed, "CLOSED"],
      [alert, "ALERT"],
      [resolved, "RESOLVED_LATE"],
      [ended, "OPEN"],
    ].toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    expect(rows.map(({ id, state }) => [id, state]).toSorted(([a], [b]) => (a < b ? -1 : 1))).toEqual(states);
    expect((await pool.query("SELECT * FROM monitor.audit_difference")).rows).toEqual([]);
  });
});

import { expect, it } from "vitest";
import { connectionsHint } from "./errors.js";

it.each([
  'pg_dump ended with 1: pg_dump: error: connection failed: FATAL: too many connections for database "payments"',
  'pg_restore ended with 1: FATAL: too many connections for role "payments_admin"',
  "FATAL: remaining connection slots are reserved for non-replication superuser connections",
  'pg_dumpall ended with 1: pg_dumpall: error: could not connect to database "payments"',
])("says what to do about %s", (reason) => {
  expect(connectionsHint(reason)).toMatch(/lower BACKUP_JOBS.*CONNECTION LIMIT/);
});

it("has nothing to say of another failure", () => {
  expect(connectionsHint("pg_dump ended with 1: No space left on device")).toBeUndefined();
});

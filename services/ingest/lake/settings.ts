import { secret, whole } from "../../../lib/settings/define.js";

/** Of the data lake; part of the module's settings. */
export const lakeSettings = {
  DATALAKE_DATABASE_URL: secret.describe(
    "Database with the table raw_transactions, as postgres://user:password@host:port/database?sslmode=…; unset: no lake is polled",
  ),
  POLL_INTERVAL_SECONDS: whole(1, 2_592_000)
    .default(43_200)
    .describe("How often the data lake is looked at, in seconds; payments lake-poll --once does it now"),
};

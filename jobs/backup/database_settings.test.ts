import { expect, it } from "vitest";
import { setClause } from "./database_settings.js";

it.each([
  ["TimeZone=Europe/Berlin", `SET "TimeZone" TO 'Europe/Berlin'`],
  ["DateStyle=ISO, DMY", `SET "DateStyle" TO 'ISO, DMY'`],
  ["search_path=payments, public", `SET "search_path" TO 'payments', 'public'`],
  [`search_path="$user", "My, ""own""", x`, `SET "search_path" TO '$user', 'My, "own"', 'x'`],
  [`search_path=""`, `SET "search_path" TO ''`],
  ["pg_stat_statements.track=all", `SET "pg_stat_statements.track" TO 'all'`],
  ["app.dsn=host=a it's\nb", `SET "app.dsn" TO 'host=a it''s\nb'`],
  ["app.path=c:\\x", `SET "app.path" TO  E'c:\\\\x'`],
  ["app.none=", `SET "app.none" TO ''`],
])("sets %j", (setting, clause) => {
  expect(setClause(setting)).toBe(clause);
});

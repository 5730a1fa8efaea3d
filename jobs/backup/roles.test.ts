import { expect, it } from "vitest";
import { rolesOf } from "./roles.js";

it("finds whom a dump gives rights to, in its tables, its functions and on itself", () => {
  const objects = [
    "table payments.account",
    "right payments.account: payments_reader SELECT",
    'right payments.account: "Anna ""the"" Analyst" INSERT',
    "right etl.leaf_name(date): payments_backup",
    "right etl.leaf_name(date): everybody",
  ];
  const grants = [
    { role: "payments_exporter", privilege: "CONNECT" },
    { role: "public", privilege: "TEMPORARY" },
  ];
  expect(rolesOf({ objects, grants })).toEqual([
    'Anna "the" Analyst',
    "payments_backup",
    "payments_exporter",
    "payments_owner",
    "payments_reader",
  ]);
});

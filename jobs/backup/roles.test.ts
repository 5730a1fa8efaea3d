import { expect, it } from "vitest";
import { rolesOf, withoutGrantors } from "./roles.js";

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

it.each([
  ["GRANT a TO b GRANTED BY postgres;", "GRANT a TO b;"],
  ["GRANT a TO b WITH ADMIN OPTION GRANTED BY postgres;", "GRANT a TO b WITH ADMIN OPTION;"],
  ["GRANT a TO b WITH INHERIT TRUE GRANTED BY rds_1;", "GRANT a TO b WITH INHERIT TRUE;"],
  ['GRANT a TO b WITH INHERIT FALSE GRANTED BY "The ""boss""; DBA";', "GRANT a TO b WITH INHERIT FALSE;"],
  ['GRANT a TO "b GRANTED BY c" GRANTED BY d;', 'GRANT a TO "b GRANTED BY c";'],
])("%s leaves the membership", (statement, left) => {
  const others = `CREATE ROLE a;\n%\nALTER ROLE a SET "x.y" TO ' GRANTED BY z';\n`;
  expect(withoutGrantors(others.replace("%", statement))).toBe(others.replace("%", left));
});

it.each([
  'GRANT a TO "b GRANTED BY c";',
  "GRANT SET ON PARAMETER log_statement TO a;",
  "COMMENT ON ROLE a IS 'GRANT a TO b GRANTED BY c';",
])("%s is left alone", (statement) => {
  expect(withoutGrantors(`${statement}\n`)).toBe(`${statement}\n`);
});

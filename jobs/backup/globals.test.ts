import { expect, it } from "vitest";
import { withoutGrantors } from "./globals.js";

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

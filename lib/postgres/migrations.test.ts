import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { inOrder, type Migrated, readMigrations } from "./migrations.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true });
  }
});

function moduleWith(files: Readonly<Record<string, string>>, name = "desk"): Migrated {
  const migrations = mkdtempSync(join(tmpdir(), "migrations-"));
  folders.push(migrations);
  for (const [file, sql] of Object.entries(files)) {
    writeFileSync(join(migrations, file), sql);
  }
  return { name, migrations, roles: [] };
}

/** @param tops first lines of V0001, V0002, … */
const numbered = (name: string, ...tops: string[]) =>
  moduleWith(Object.fromEntries(tops.map((top, i) => [`V000${i + 1}__part.sql`, `${top}\nSELECT`])), name);

const refusal = (problem: string) =>
  expect.objectContaining({ code: "MODULE_INVALID", message: expect.stringContaining(problem) });

describe("readMigrations", () => {
  it("reads a folder in order of version, other files aside", () => {
    const files = { "V0002__second_one.sql": "-- two\n", "V0001__first.sql": "-- one\n", "README.md": "" };
    const plain = { module: "desk", after: [], breaking: false, bare: false };
    expect(readMigrations(moduleWith(files))).toEqual([
      { version: 1, name: "first", sql: "-- one\n", sha256: sha256("-- one\n"), ...plain },
      { version: 2, name: "second_one", sql: "-- two\n", sha256: sha256("-- two\n"), ...plain },
    ]);
  });

  it("finds none where there is no folder", () => {
    expect(readMigrations({ name: "desk", migrations: "/nowhere", roles: [] })).toEqual([]);
  });

  it.each([
    ["a gap", ["V0001__a.sql", "V0003__c.sql"], "migration 2 of desk is missing or stands twice"],
    ["no first", ["V0002__b.sql"], "migration 1 of desk is missing"],
    ["a twin", ["V0001__a.sql", "V0001__b.sql"], "migration 2 of desk is missing or stands twice"],
    ["version 0", ["V0000__a.sql"], "migration 1 of desk is missing"],
    ["a short number", ["V1__a.sql"], "V1__a.sql is not named like"],
    ["capitals", ["V0001__Add.sql"], "V0001__Add.sql"],
    ["one underscore", ["V0001_add.sql"], "V0001_add.sql"],
    ["no version", ["add.sql"], "add.sql"],
  ])("refuses %s", (_, names, problem) => {
    const files = Object.fromEntries(names.map((name) => [name, "SELECT"]));
    expect(() => readMigrations(moduleWith(files))).toThrow(refusal(problem));
  });

  it.each([
    ["SELECT", {}],
    ["-- Makes a desk.", {}],
    ["-- no-transaction", { bare: true }],
    ["-- breaking", { breaking: true }],
    ["-- A desk.\n-- after shop 5\n-- breaking", { breaking: true, after: [{ module: "shop", version: 5 }] }],
    ["SELECT 1;\n-- breaking", {}],
    ["-- A desk.\n\n-- after shop 5", {}],
  ])("%j at the top", (top, said) => {
    const nothing = { after: [], breaking: false, bare: false };
    expect(readMigrations(numbered("desk", top))).toMatchObject([{ ...nothing, ...said }]);
  });

  it.each(["-- after shop", "-- after shop five", "-- breaking change", "-- no-transaction here"])(
    "refuses a top that says: %s",
    (line) => {
      const problem = `desk/V0001__part.sql cannot be read: ${line}`;
      expect(() => readMigrations(numbered("desk", line))).toThrow(refusal(problem));
    },
  );
});

describe("inOrder", () => {
  const order = (...modules: Migrated[]) => inOrder(modules).map(({ module, version }) => module + version);

  it("keeps modules as listed, but for what is to come after another", () => {
    expect(order(numbered("a", "", ""), numbered("b", ""))).toEqual(["a1", "a2", "b1"]);
    expect(order(numbered("a", "-- after b 1", ""), numbered("b", "", "-- after a 2"))).toEqual([
      "b1",
      "a1",
      "a2",
      "b2",
    ]);
  });

  it.each([
    ["an unknown module", ["-- after desk 1"], [""], "a V0001 (part) is to come after desk 1, which is not"],
    ["an unknown version", ["-- after b 2"], [""], "a V0001 (part) is to come after b 2, which is not there"],
    ["a circle", ["", "-- after b 1"], ["-- after a 2"], "wait for each other: a 2, b 1"],
    ["its own successor", ["-- after a 2", ""], [""], "wait for each other: a 1, a 2"],
  ])("refuses %s", (_, a, b, problem) => {
    expect(() => order(numbered("a", ...a), numbered("b", ...b))).toThrow(refusal(problem));
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readMigrations } from "./migrate.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true });
  }
});

function folderWith(...names: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "migrations-"));
  folders.push(folder);
  for (const name of names) {
    writeFileSync(join(folder, name), `-- ${name}\n`);
  }
  return folder;
}

describe("readMigrations", () => {
  it("reads a folder in order of version, other files aside", () => {
    const folder = folderWith("V0002__second_one.sql", "V0001__first.sql", "README.md");
    expect(readMigrations(folder)).toEqual(
      [
        { version: 1, name: "first", sql: "-- V0001__first.sql\n" },
        { version: 2, name: "second_one", sql: "-- V0002__second_one.sql\n" },
      ].map((migration) => ({
        ...migration,
        sha256: createHash("sha256").update(migration.sql).digest("hex"),
      })),
    );
  });

  it.each([
    ["a gap", ["V0001__a.sql", "V0003__c.sql"], "migration 2 is missing or stands twice"],
    ["no first", ["V0002__b.sql"], "migration 1 is missing"],
    ["a twin", ["V0001__a.sql", "V0001__b.sql"], "migration 2 is missing or stands twice"],
    ["version 0", ["V0000__a.sql"], "migration 1 is missing"],
    ["a short number", ["V1__a.sql"], "V1__a.sql: migrations are named"],
    ["capitals", ["V0001__Add.sql"], "V0001__Add.sql"],
    ["one underscore", ["V0001_add.sql"], "V0001_add.sql"],
    ["no version", ["add.sql"], "add.sql"],
  ])("refuses %s", (_, names, problem) => {
    expect(() => readMigrations(folderWith(...names))).toThrow(problem);
  });

  it("finds this package's own", () => {
    expect(
      readMigrations()
        .map((migration) => migration.name)
        .slice(0, 3),
    ).toEqual(["dimensions", "transactions", "ledger"]);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../root.js";
import { loadSql, quoteName } from "./sql.js";

describe("quoteName", () => {
  it.each([
    ["txn", '"txn"'],
    ["staging.txn_r1_2025_01", '"staging"."txn_r1_2025_01"'],
    ["_x9", '"_x9"'],
    ["x".repeat(63), `"${"x".repeat(63)}"`],
  ])("quotes %s", (name, quoted) => {
    expect(quoteName(name)).toBe(quoted);
  });

  it.each(["", "Txn", "9x", "a b", 'a"b', "a;b", "a.b.c", ".a", "a.", "a\n", "txn--", "é", "x".repeat(64)])(
    "refuses %j",
    (name) => {
      expect(() => quoteName(name)).toThrow("not a plain identifier");
    },
  );

  it("never lets through what could end the quotes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z_."' ]{1,12}$/)), (name) => {
        try {
          expect(quoteName(name)).toMatch(/^"[a-z0-9_]+"(\."[a-z0-9_]+")?$/);
        } catch (error) {
          expect(String(error)).toContain("not a plain identifier");
        }
      }),
    );
  });
});

describe("loadSql", () => {
  const names = { from: "staging.txn_r1_2025_01", to: "payments.txn_2025_01" };

  it("fills every place, again and again", () => {
    const text = loadSql("copy_leaf", names);
    expect(text).toContain('FROM "staging"."txn_r1_2025_01"');
    expect(text).toContain('INSERT INTO "payments"."txn_2025_01"');
    expect(text).not.toContain(':"');
    expect(loadSql("copy_leaf", { ...names, to: "payments.txn_2025_02" })).toContain('"txn_2025_02"');
  });

  it("needs them all, and plain", () => {
    expect(() => loadSql("copy_leaf", { from: names.from })).toThrow("needs the identifier to");
    expect(() => loadSql("copy_leaf", { ...names, to: 'x"; DROP TABLE txn; --' })).toThrow(
      "not a plain identifier",
    );
    expect(() => loadSql("no_such_query")).toThrow("ENOENT");
  });

  it("has no query that starts without saying what it does", () => {
    const folder = join(packageRoot, "db", "queries");
    for (const file of readdirSync(folder)) {
      expect(readFileSync(join(folder, file), "utf8"), file).toMatch(/^-- [A-Z].*\n/);
    }
  });
});

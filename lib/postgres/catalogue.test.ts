import { describe, expect, it } from "vitest";
import { type CatalogueObject, compareCatalogues } from "./catalogue.js";

const object = (kind: string, part_of: string, name: string, definition = ""): CatalogueObject => ({
  kind,
  part_of,
  name,
  definition,
});

const MADE = [
  object("table", "", "payments.txn"),
  object("column", "payments.txn", "payments.txn.amount", "numeric(14,2) not null"),
  object("right", "payments.txn", "payments.txn: payments_loader INSERT"),
  object("function", "", "payments.month_of(date)", "returns text 0a1b"),
];
const NOTE = object("column", "payments.txn", "payments.txn.note", "text");

describe("compareCatalogues", () => {
  it.each<[what: string, found: CatalogueObject[], differences: string[], additions: string[]]>([
    ["nothing", MADE, [], []],
    ["a column added", [...MADE, NOTE], ["column payments.txn.note was added (text)"], []],
    [
      "a table of somebody's, told once",
      [
        ...MADE,
        object("table", "", "payments.mine"),
        object("column", "payments.mine", "payments.mine.id", "integer"),
      ],
      [],
      ["table payments.mine was added"],
    ],
    [
      "a trigger on a partition",
      [...MADE, object("trigger", "payments.txn", "payments.txn_2025_01.audit", "CREATE TRIGGER …")],
      ["trigger payments.txn_2025_01.audit was added (CREATE TRIGGER …)"],
      [],
    ],
    [
      "a column dropped",
      MADE.filter(({ kind }) => kind !== "column"),
      ["column payments.txn.amount is missing"],
      [],
    ],
    ["a table dropped, told once", MADE.slice(3), ["table payments.txn is missing"], []],
    [
      "a right revoked",
      MADE.filter(({ kind }) => kind !== "right"),
      [`right ${MADE[2]?.name} is missing`],
      [],
    ],
  ])("%s", (_, found, differences, additions) => {
    expect(compareCatalogues(MADE, found)).toEqual({ differences, additions });
  });

  it("says what a column was and is, and of a function that it is another", () => {
    const found = MADE.map((each) => ({ ...each, definition: each.definition.replace(/14,2|0a1b/, "20,4") }));
    expect(compareCatalogues(MADE, found).differences).toEqual([
      "column payments.txn.amount: expected numeric(14,2) not null, found numeric(20,4) not null",
      "function payments.month_of(date) is not as the migrations made it",
    ]);
  });
});

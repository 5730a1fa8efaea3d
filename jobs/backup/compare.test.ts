import { expect, it } from "vitest";
import { compareContent } from "./compare.js";
import { type Content, HIDDEN } from "./content.js";

const content: Content = {
  tables: [
    { table: "payments.txn_2025_01", month: "2025-01-01", rows: 2, digest: "aa" },
    { table: "geo.place", month: null, rows: 1, digest: "cc" },
    { table: "payments.account", month: null, rows: 1, digest: "bb" },
  ],
  objects: ["index payments.a: CREATE INDEX a", "right payments.txn: payments_reader SELECT"],
  others: ["table geo.place", "extension pageinspect"],
  ledger: [{ run: "r1", state: "done", chunksTotal: 3, nextChunk: 3, chunksCleaned: 3, monthsDone: 1 }],
};

it("finds nothing in equal contents, whatever their order", () => {
  expect(compareContent(content, structuredClone(content))).toEqual([]);
  expect(compareContent(content, { ...content, tables: [...content.tables].reverse() })).toEqual([]);
});

it.each<[what: string, change: (copy: Content) => unknown]>([
  ["table payments.account", ({ tables }) => Object.assign(tables[2] as object, { digest: "bc" })],
  ["table payments.txn_2025_01", ({ tables }) => Object.assign(tables[0] as object, { rows: 3 })],
  ["table payments.account", ({ tables }) => tables.pop()],
  [
    "table payments.more",
    ({ tables }) => tables.push({ table: "payments.more", month: null, rows: 0, digest: "" }),
  ],
  ["run r1", ({ ledger }) => Object.assign(ledger[0] as object, { chunksCleaned: 2 })],
  ["index payments.a: CREATE INDEX a", ({ objects }) => objects.shift()],
  [
    "right payments.txn: payments_reader DELETE",
    ({ objects }) => objects.push("right payments.txn: payments_reader DELETE"),
  ],
])("names %s", (what, change) => {
  const copy = structuredClone(content);
  change(copy);
  expect(compareContent(content, copy).map((difference) => difference.what)).toEqual([what]);
  expect(compareContent(copy, content).map((difference) => difference.what)).toEqual([what]);
  expect(compareContent(content, copy, true).map((difference) => difference.ours)).toEqual([true]);
});

it("knows what is not the platform's own: an object may lack, rows only when pg_restore said so", () => {
  const { tables, ...copy } = structuredClone(content);
  const restored = {
    ...copy,
    tables: tables.filter(({ table }) => table !== "geo.place"),
    others: ["table geo.place"],
  };
  const ours = (complained: boolean) =>
    compareContent(content, restored, complained).map(
      (difference) => `${difference.what} ${difference.ours}`,
    );
  expect(ours(true)).toEqual(["table geo.place false", "extension pageinspect false"]);
  expect(ours(false)).toEqual(["table geo.place true", "extension pageinspect false"]);
});

it("names a table whose rows no backup holds, also where they are hidden again", () => {
  const copy = structuredClone(content);
  Object.assign(copy.tables[1] as object, { rows: 0, digest: HIDDEN });
  const expected = expect.stringContaining("hidden from the backup: row security") as string;
  expect(compareContent(copy, structuredClone(copy))).toEqual([
    { what: "table geo.place", expected, found: HIDDEN, ours: false },
  ]);
  expect(compareContent(copy, content)).toMatchObject([{ what: "table geo.place", expected, ours: false }]);
  expect(compareContent(content, copy)).toMatchObject([{ what: "table geo.place", found: HIDDEN }]);
});

it("does not miss in an older manifest what was not looked at then", () => {
  const { others, objects, ...rest } = structuredClone(content);
  const old = { ...rest, objects: [...objects, "table geo.place"] };
  const found = { ...content, objects: [...objects, "right schema etl: payments_loader USAGE"] };
  expect(compareContent(old, found)).toEqual([]);
  expect(compareContent(old, { ...found, objects: [], others: [] })).toHaveLength(3);
});

it("knows a foreign key of a partition by what it says, where an older manifest has the number that it had", () => {
  const key = (name: string, month: string) =>
    `constraint payouts.paid ${name}: FOREIGN KEY (id_pago) REFERENCES payouts.pago_${month}(id_pago)`;
  const keys = [key("paid_fkey", "2026_11"), key("paid_fkey", "default")];
  const found = { ...content, objects: [...content.objects, ...keys] };
  const numbered = [key("paid_fkey1", "default"), key("paid_fkey2", "2026_11")];
  const old = { ...content, others: [...(content.others ?? []), ...numbered] };
  expect(compareContent(old, found)).toEqual([]);
  const lost = { ...found, objects: found.objects.slice(0, -1) };
  expect(compareContent(old, lost)).toMatchObject([{ what: key("paid_fkey1", "default") }]);
  expect(compareContent(found, lost)).toMatchObject([{ what: key("paid_fkey", "default"), ours: true }]);
  // Two that say the same are two.
  const two = {
    ...content,
    objects: [...content.objects, key("a_fkey", "default"), key("b_fkey", "default")],
  };
  const one = { ...two, objects: two.objects.slice(0, -1) };
  expect(compareContent(two, one)).toMatchObject([{ what: key("b_fkey", "default") }]);
  const numberedTwice = {
    ...content,
    objects: [...content.objects, ...["fkey1", "fkey2"].map((name) => key(name, "default"))],
  };
  expect(compareContent(numberedTwice, one)).toMatchObject([{ what: key("fkey2", "default") }]);
});

it("finds what is ours where an older manifest has it among the others, and that it lacks", () => {
  const month = "table saga.payment_2026_11";
  const old = { ...content, others: [...(content.others ?? []), month] };
  const found = { ...content, objects: [...content.objects, month] };
  expect(compareContent(old, found)).toEqual([]);
  expect(compareContent(found, content)).toMatchObject([{ what: month, found: "missing", ours: true }]);
});

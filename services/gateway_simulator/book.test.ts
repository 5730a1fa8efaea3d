import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Book, type Payout } from "./book.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "book-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const payout = (id: string): Payout => ({
  id,
  amount: 1_000,
  currency: "usd",
  metadata: { id_pago: id },
  created: 1,
  status: "pending",
  failureCode: null,
  changedAtMs: 1_000,
});

test("what was written is there when another process opens it; a line that was begun is not", () => {
  const path = join(folder, "new", "book.ndjson");
  const first = new Book(path);
  first.answer("a", { fingerprint: "f", status: 200, payoutId: "po_a" }, payout("po_a"));
  first.answer("b", { fingerprint: "f", status: 400, error: { type: "t", message: "m" } });
  first.answer("c", { fingerprint: "f", status: 200, payoutId: "po_c" }, payout("po_c"));
  first.change("po_a", { status: "paid", failureCode: null, changedAtMs: 2_000 });
  first.told("evt_a_paid");
  // Killed: not closed, and in the middle of a line.
  appendFileSync(path, '{"kind":"told","eve');
  const second = new Book(path);
  expect([...second.newestFirst()].map(({ id, status }) => `${id} ${status}`)).toEqual([
    "po_c pending",
    "po_a paid",
  ]);
  expect([...second.newestFirst("po_c")].map(({ id }) => id)).toEqual(["po_a"]);
  expect(second.answerTo("b")).toMatchObject({ status: 400 });
  expect([second.isTold("evt_a_paid"), second.isTold("evt_c_paid")]).toEqual([true, false]);
  second.told("evt_c_paid");
  second.close();
  const third = new Book(path);
  expect(third.isTold("evt_c_paid")).toBe(true);
  third.close();
  first.close();
});

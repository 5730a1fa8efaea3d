import { expect, test } from "vitest";
import { parseJson } from "../lib/domain/json_parse.js";
import { normaliseBody } from "../services/ingest/domain/normalise.js";
import { eventOf } from "../services/ingest/lake/row.js";
import { type LakeRow, lakeRow, runName } from "../traffic/lake/row.js";

const RUN = "000000020000000";
const spec = { rows: 1_500, seed: 7 };
const rows = Array.from({ length: spec.rows }, (_, n) => lakeRow(RUN, spec, n));

const taken = (row: LakeRow) => {
  const { raw, hint } = eventOf({ ...row, merchantName: null, merchantCountry: null });
  return normaliseBody(raw, hint === undefined ? {} : { hint });
};

test("generated rows of a lake come to what their answer key says", () => {
  const outcomesOf = (row: LakeRow) =>
    taken(row).map(({ status, amountMinor, currency }) =>
      status === "UNPROCESSED" ? status : `${status} ${amountMinor} ${currency}`,
    );
  const found = rows.map((row) => ({ data: row.data, expected: row.outcomes, outcomes: outcomesOf(row) }));
  expect(found.filter(({ expected, outcomes }) => String(expected) !== String(outcomes))).toEqual([]);
});

test("what tells the same has the same key, and nothing else has", () => {
  const first = new Map<string, string>();
  const wrong = rows.filter((row) =>
    taken(row).some(({ provider, dedupKey }, index) => {
      const name = `${row.sameAs} ${index}`;
      const key = dedupKey === null ? name : `${provider} ${dedupKey}`;
      const before = first.get(key) ?? name;
      first.set(key, name);
      return before !== name;
    }),
  );
  expect(wrong).toEqual([]);
  expect(rows.filter(({ id, sameAs }) => id !== sameAs).length).toBeGreaterThan(20);
});

test("they are the same for the same seed, others for another, and none for another run", () => {
  expect(lakeRow(RUN, spec, 9)).toEqual(rows[9]);
  expect(lakeRow(RUN, { ...spec, seed: 8 }, 9).data).not.toBe(rows[9]?.data);
  expect(lakeRow(runName(2), spec, 9).id).not.toBe(rows[9]?.id);
  expect(() => rows.map(({ data }) => parseJson(data))).not.toThrow();
});

import { expect, it } from "vitest";
import { linksOf } from "./letter_links.js";

const ID = "01977f3c-9a10-7d31-8c55-0242ac120002";
const kinds = (event: string | null, body: unknown) =>
  linksOf({ event, body: JSON.stringify(body) }).map(({ kind, id }) => `${kind} ${id}`);

it("finds what a message is about", () => {
  expect(kinds("wallet.debit.requested", { payment_id: ID })).toEqual([`payment ${ID}`]);
  expect(kinds("payments.created", { id: ID })).toEqual([`payment ${ID}`]);
  expect(kinds("payments.evt.completed", { id_pago: ID })).toEqual([`pago ${ID}`]);
  expect(kinds("collector.evt.click", { event_id: ID, campaign_id: ID })).toEqual([`campaign ${ID}`]);
  expect(kinds("monitor.report", { window_uuid: ID, seq: 2 })).toEqual([`window ${ID}`]);
  expect(kinds("ingest.retry.requested", { event_id: ID })).toEqual([`event ${ID}`]);
  expect(kinds(null, { v: 1, step: "agg", run: "r12", month: "2025-01-01" })).toEqual(["run r12"]);
});

it("makes no link of what names nothing", () => {
  expect(kinds("campaigns.evt.created", { id: ID })).toEqual([]);
  expect(kinds(null, { id: ID, payment_id: "../runs" })).toEqual([]);
  expect([
    kinds(null, { payment_id: [ID] }),
    kinds(null, { run: "r1/../new" }),
    kinds(null, { run: ID }),
  ]).toEqual([[], [], []]);
  expect([kinds(null, null), kinds(null, "text"), kinds(null, [ID])]).toEqual([[], [], []]);
  expect(linksOf({ event: null, body: '{"payment_id":"01977f3c' })).toEqual([]);
});

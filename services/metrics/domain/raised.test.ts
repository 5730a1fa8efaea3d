import { expect, it, test } from "vitest";
import { OBSERVED, raisedBy } from "./raised.js";

test.each([
  ["payments.created", {}, ["paymentCreated"]],
  ["payments.checked", { status: "APPROVED" }, []],
  ["payments.checked", { status: "DECLINED" }, ["paymentDeclined"]],
  ["payments.expired", {}, ["paymentDeclined"]],
  ["wallet.debit.requested", {}, ["debitRequested"]],
  ["wallet.response", { status: "APPROVED" }, ["paymentApproved", "debitApproved"]],
  ["wallet.response", { status: "DECLINED" }, ["paymentDeclined", "debitDeclined"]],
  ["wallet.refunded", {}, ["refunded"]],
])("%s %j raises %j", (event, body, counters) => {
  expect(raisedBy(event, Buffer.from(JSON.stringify(body)))).toEqual(counters);
  expect(OBSERVED).toContain(event);
});

it.each([
  ["wallet.response", '{"status":"constructor"}'],
  ["wallet.response", "null"],
  ["wallet.response", '{"status'],
  ["toString", "{}"],
])("a %s that says %s raises nothing", (event, body) => {
  expect(raisedBy(event, Buffer.from(body))).toEqual([]);
});

import { describe, expect, it } from "vitest";
import { normaliseBody, type RawBody } from "./normalise.js";

/** Status, amount, reason and what is taken back; of an UNPROCESSED event its code. */
function toldOf(event: unknown, hint?: string): readonly (string | null)[] {
  const body: RawBody = typeof event === "string" ? { text: event } : { value: event };
  const [first] = normaliseBody(body, { hint });
  return first?.status === "UNPROCESSED"
    ? [first.unprocessed?.code ?? null]
    : [first?.status ?? null, first?.amount ?? null, first?.reason ?? null, first?.undoes ?? null];
}

type Case = readonly [
  name: string,
  event: unknown,
  hint: string | undefined,
  expected: readonly (string | null)[],
];

const worldpay = (lastEvent: string, journal: string) =>
  `<paymentService merchantCode="T"><notify><orderStatusEvent orderCode="O"><payment><amount value="10000" currencyCode="EUR" exponent="2"/><lastEvent>${lastEvent}</lastEvent></payment>${journal}</orderStatusEvent></notify></paymentService>`;
const journal = (type: string) =>
  `<journal journalType="${type}"><bookingDate><date dayOfMonth="21" month="11" year="2025"/></bookingDate><accountTx><amount value="2500" currencyCode="EUR" exponent="2"/></accountTx></journal>`;
const pain = (status: string, reason = "") =>
  `<Document><CstmrPmtStsRpt><GrpHdr><MsgId>M</MsgId></GrpHdr><OrgnlGrpInfAndSts><GrpSts>ACSC</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>E</OrgnlEndToEndId><TxSts>${status}</TxSts>${reason}</TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`;
const square = (status: string, errors?: readonly unknown[]) => ({
  event_id: "e",
  type: "payment.updated",
  data: {
    object: {
      payment: {
        id: "p",
        status,
        total_money: { amount: 500, currency: "USD" },
        ...(errors === undefined ? {} : { card_details: { errors } }),
      },
    },
  },
});
const session = (payment_status: string) => ({
  id: "evt_1",
  object: "event",
  type: "checkout.session.completed",
  data: {
    object: {
      id: "cs_1",
      object: "checkout.session",
      status: "complete",
      payment_status,
      amount_total: 500,
      currency: "mxn",
    },
  },
});
const paypalExport = (type: string) =>
  `Date,Time,TimeZone,Type,Status,Currency,Gross,Transaction ID\n20/11/2025,10:00:00,CET,${type},Completed,EUR,"12,50",T1\n`;

describe("a status that no table has is not looked past", () => {
  it.each<Case>([
    ["of a transaction in pain.002", pain("ZZZZ"), undefined, ["UNKNOWN_VALUE"]],
    [
      "of a row with a balance",
      "Booking Date,Amount,Currency,Status,Balance\n2025-11-20,-1.00,EUR,On hold,5.00\n",
      undefined,
      ["UNKNOWN_VALUE"],
    ],
    ["of Worldpay", worldpay("FOO_BAR", journal("CAPTURED")), undefined, ["UNKNOWN_VALUE"]],
    [
      "of a Braintree notice",
      "<notification><kind>transaction_frozen</kind><subject><transaction><id>t</id><status>settled</status><amount>1.00</amount></transaction></subject></notification>",
      undefined,
      ["UNKNOWN_VALUE"],
    ],
    [
      "of Square, of another category",
      square("FAILED", [{ category: "NEW_ERROR" }]),
      undefined,
      ["UNKNOWN_VALUE"],
    ],
    [
      "of a PayPal dispute",
      {
        id: "WH-1",
        event_type: "CUSTOMER.DISPUTE.CREATED",
        resource: { dispute_id: "d", dispute_life_cycle_stage: "LIMBO" },
      },
      undefined,
      ["UNKNOWN_VALUE"],
    ],
  ])("%s", (_, event, hint, expected) => {
    expect(toldOf(event, hint)).toEqual(expected);
  });
});

describe("what happened decides", () => {
  it.each<Case>([
    [
      "a request that Square refused",
      square("FAILED", [{ category: "INVALID_REQUEST_ERROR", code: "INVALID_LOCATION" }]),
      undefined,
      ["FAILED", "5.00", "CONFIGURATION", null],
    ],
    ["a voucher that is to be paid", session("unpaid"), undefined, ["PENDING", "5.00", null, null]],
    ["a session that is paid", session("paid"), undefined, ["APPROVED", "5.00", null, null]],
    ["a session without a payment", session("no_payment_required"), undefined, ["NOT_A_PAYMENT"]],
    [
      "a notice of fraud",
      {
        notificationItems: [
          {
            NotificationRequestItem: {
              eventCode: "NOTIFICATION_OF_FRAUD",
              success: "true",
              pspReference: "P",
            },
          },
        ],
      },
      undefined,
      ["NOT_A_PAYMENT"],
    ],
    [
      "a complaint",
      "SOURCE_ID,TRANSACTION_TYPE,TRANSACTION_AMOUNT,TRANSACTION_CURRENCY,TRANSACTION_DATE\n1,DISPUTE,-50.00,ARS,2025-11-20T10:00:00.000-03:00\n",
      undefined,
      ["PENDING", "50.00", null, null],
    ],
    [
      "a payment of an export",
      paypalExport("Express Checkout Payment"),
      undefined,
      ["APPROVED", "12.50", null, null],
    ],
    ["a deposit", paypalExport("General Credit Card Deposit"), undefined, ["NOT_A_PAYMENT"]],
    ["a hold", paypalExport("Hold on Balance for Dispute Investigation"), undefined, ["NOT_A_PAYMENT"]],
    ["a row of a type that is new", paypalExport("Moon Payment"), undefined, ["UNKNOWN_VALUE"]],
    [
      "an answer about another transaction",
      {
        transactionResponse: { responseCode: "1", transId: "9", refTransID: "8" },
        messages: { resultCode: "Ok" },
      },
      undefined,
      ["UNDECIDABLE"],
    ],
    [
      "a code of its own that is new",
      pain("RJCT", "<StsRsnInf><Rsn><Cd>XX99</Cd></Rsn></StsRsnInf>"),
      undefined,
      ["DECLINED", null, null, null],
    ],
    [
      "an authorisation that was cancelled",
      square("CANCELED"),
      undefined,
      ["FAILED", "5.00", null, "APPROVED"],
    ],
    ["an order that expired", worldpay("EXPIRED", ""), undefined, ["FAILED", "100.00", null, "APPROVED"]],
  ])("%s", (_, event, hint, expected) => {
    expect(toldOf(event, hint)).toEqual(expected);
  });
});

describe("the amount is what the event moves", () => {
  it.each<Case>([
    [
      "a partial refund in the journal",
      worldpay("CAPTURED", journal("REFUNDED")),
      undefined,
      ["REFUNDED", "25.00", null, null],
    ],
    [
      "the last refund of an order",
      {
        order_id: "k",
        status: "CAPTURED",
        order_amount: 10_000,
        purchase_currency: "EUR",
        refunded_amount: 4000,
        refunds: [
          { refund_id: "a", refunded_amount: 1000 },
          { refund_id: "b", refunded_amount: 3000 },
        ],
      },
      undefined,
      ["REFUNDED", "30.00", null, null],
    ],
    [
      "the last refund of a payment",
      {
        id: 1,
        status: "approved",
        status_detail: "partially_refunded",
        transaction_amount: 100,
        currency_id: "BRL",
        transaction_amount_refunded: 50,
        refunds: [{ amount: 20 }, { amount: 30 }],
      },
      undefined,
      ["REFUNDED", "30.00", null, null],
    ],
    [
      "what was asked of a card that was declined",
      {
        ticketNumber: "t",
        details: {
          transactionType: "SALE",
          transactionStatus: "DECLINED",
          approvedTransactionAmount: 0,
          requestAmount: 80,
          currencyCode: "PEN",
          responseCode: "51",
        },
      },
      undefined,
      ["DECLINED", "80.00", "INSUFFICIENT_FUNDS", null],
    ],
    [
      "all parts of an amount",
      {
        ticket_number: "t",
        transaction_type: "SALE",
        transaction_status: "INITIALIZED",
        amount: { subtotalIva0: 11.2, iva: 0, extraTaxes: { propina: 5 }, currency: "USD" },
      },
      undefined,
      ["PENDING", "16.20", null, null],
    ],
  ])("%s", (_, event, hint, expected) => {
    expect(toldOf(event, hint)).toEqual(expected);
  });
});

describe("a flat record", () => {
  it.each<Case>([
    [
      "that is a payout",
      { object: "payout", status: "paid", amount: 5000, currency: "usd" },
      "stripe",
      ["UNRECOGNISED"],
    ],
    ["that is a setup", { object: "setup_intent", status: "succeeded", id: "s" }, "stripe", ["UNRECOGNISED"]],
    [
      "that is a refund",
      { id: 1, payment_id: 2, amount: 10, status: "approved" },
      "mercadopago",
      ["UNRECOGNISED"],
    ],
    [
      "with an object as amount",
      { id: "r", status: "paid", amount: { value: 100, currency: "EUR" } },
      "adyen",
      ["UNRECOGNISED"],
    ],
    [
      "with a type that is a refund",
      { id: "r", type: "refund", status: "paid", amount: 1 },
      "stripe",
      ["UNRECOGNISED"],
    ],
    [
      "with a type that is a payment",
      { id: "r", type: "payment", status: "paid", amount: 100, currency: "usd" },
      "stripe",
      ["APPROVED", "1.00", null, null],
    ],
    [
      "of a kind",
      { id: "r", transaction_type: "REFUND", status: "approved", amount: 1 },
      "kushki",
      ["UNRECOGNISED"],
    ],
    [
      "of Stripe that failed",
      { id: "c", status: "failed", decline_code: "insufficient_funds", amount: 500, currency: "usd" },
      "stripe",
      ["DECLINED", "5.00", "INSUFFICIENT_FUNDS", null],
    ],
    [
      "that may be captured",
      { id: "c", status: "requires_capture", amount: 500, currency: "usd" },
      "stripe",
      ["APPROVED", "5.00", null, null],
    ],
    [
      "of Square that failed",
      { id: "c", status: "FAILED", error_code: "CARD_EXPIRED", amount: 500, currency: "usd" },
      "square",
      ["DECLINED", "5.00", "EXPIRED_CARD", null],
    ],
    [
      "of dLocal with its code",
      { id: "c", status: "REJECTED", status_code: "302", amount: 5, currency: "BRL" },
      "dlocal",
      ["DECLINED", "5.00", "INSUFFICIENT_FUNDS", null],
    ],
    [
      "of Redsys with its response",
      { id: "c", status: "0190", amount: 500, currency: "EUR" },
      "redsys",
      ["DECLINED", "5.00", "BANK_DECLINE", null],
    ],
    [
      "of Redsys that is held",
      { id: "c", status: "0112", amount: 500, currency: "EUR" },
      "redsys",
      ["PENDING", "5.00", null, null],
    ],
    [
      "with a fraction of a cent's unit",
      { id: "c", status: "paid", amount: 19.99, currency: "usd" },
      "stripe",
      ["UNDECIDABLE"],
    ],
  ])("%s", (_, event, hint, expected) => {
    expect(toldOf(event, hint)).toEqual(expected);
  });
});

describe("others' shapes are not taken", () => {
  it.each<Case>([
    [
      "with ids like Checkout.com's",
      { id: "pay_1", status: "captured", amount: 5000, currency: "INR" },
      "razorpay",
      ["UNRECOGNISED"],
    ],
    ["with a ticket", { ticketNumber: "1", status: "paid", amount: 5 }, "airpay", ["UNRECOGNISED"]],
    ["with a topic", { topic: "payment", id: "1" }, "acmepay", ["UNRECOGNISED"]],
    [
      "with a topic and a status",
      { topic: "payment", id: "1", status: "paid", amount: 5 },
      undefined,
      ["UNRECOGNISED"],
    ],
    [
      "tables without a bank's columns",
      "txn_id,date,description,amount,currency,status\n1,2025-11-20,x,5000,USD,paid\n",
      "acmepay",
      ["UNRECOGNISED"],
    ],
  ])("%s", (_, event, hint, expected) => {
    expect(toldOf(event, hint)).toEqual(expected);
  });
});

it("has no time that is yet to come", () => {
  const value = { id: "c", status: "paid", amount: 5, currency: "usd", created: "2099-01-01T00:00:00Z" };
  const [event] = normaliseBody({ value }, { hint: "stripe", receivedAtMs: Date.UTC(2026, 0) });
  expect(event).toMatchObject({ status: "APPROVED", occurredAt: null, metadata: { time: value.created } });
});

it("keeps a reason's code of what was refused only", () => {
  const [event] = normaliseBody({
    value: {
      notificationItems: [
        {
          NotificationRequestItem: {
            eventCode: "AUTHORISATION",
            success: "true",
            pspReference: "P",
            reason: "552190:0007:03/2028",
            amount: { value: 1, currency: "EUR" },
          },
        },
      ],
    },
  });
  expect(event?.metadata["reason_code"]).toBeUndefined();
});

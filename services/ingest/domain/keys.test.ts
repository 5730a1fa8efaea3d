import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { bodyOf, examplesIn } from "./examples.js";
import { type Normalised, normaliseBody, type RawBody } from "./normalise.js";

const keysOf = (body: RawBody, hint?: string) =>
  normaliseBody(body, { hint }).map(({ dedupKey }) => dedupKey);

/** Each body's keys, all of them other ones. */
function expectDistinct(bodies: readonly RawBody[], hint?: string): void {
  const keys = bodies.flatMap((body) => keysOf(body, hint));
  expect(keys).not.toContain(null);
  expect(new Set(keys).size).toBe(keys.length);
}

it("what became of an EBANX payment is no repeat of its approval", () => {
  const payment = {
    hash: "h1",
    status: "CO",
    transaction_status: { code: "OK" },
    status_date: "2025-11-20 10:00:00",
    amount_ext: "10.00",
    currency_ext: "USD",
  };
  const refunds = [{ id: "1", status: "CO", amount_ext: "4.00" }];
  const bodies = [payment, { ...payment, refunds }, { ...payment, refunds, chargeback: { hash: "c1" } }];
  expectDistinct(bodies.map((each) => ({ value: { payment: each } })));
});

it("two partial refunds of a Redsys order are two, in either spelling of their time", () => {
  const soap = (amount: string) =>
    `<Message><Request><Fecha>20/11/2025</Fecha><Hora>10:00</Hora><Ds_Order>1234</Ds_Order><Ds_Amount>${amount}</Ds_Amount><Ds_Currency>978</Ds_Currency><Ds_Response>0900</Ds_Response><Ds_TransactionType>3</Ds_TransactionType></Request></Message>`;
  expectDistinct([
    { text: soap("1000") },
    { text: soap("500") },
    { text: soap("500").replace("10:00", "10:01") },
  ]);
});

const camt = (details: string) =>
  `<Document><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>M</MsgId></GrpHdr><Ntfctn><Ntry><Amt Ccy="EUR">30.00</Amt><Sts>BOOK</Sts><BookgDt><Dt>2025-11-20</Dt></BookgDt><AcctSvcrRef>ASR1</AcctSvcrRef><NtryDtls>${details}</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>`;
const detail = (id: string, amount: string) =>
  `<TxDtls><Refs><EndToEndId>${id}</EndToEndId></Refs><Amt Ccy="EUR">${amount}</Amt></TxDtls>`;

it.each([
  ["without references", [detail("NOTPROVIDED", "10.00"), detail("NOTPROVIDED", "10.00")]],
  [
    "with one reference and other amounts",
    [detail("RENT", "10.00"), detail("RENT", "20.00"), detail("OTHER", "10.00")],
  ],
  ["that are equal", [detail("RENT", "10.00"), detail("RENT", "10.00")]],
])("payments of a batch %s are as many, and the same when they come again", (_, details) => {
  const body = { text: camt(details.join("")) };
  expectDistinct([body]);
  expect(keysOf(body)).toHaveLength(details.length);
  expect(keysOf(body)).toEqual(keysOf(body));
});

it("transactions that were rejected without an id of their own are as many", () => {
  const rejected = (amount: string) =>
    `<TxInfAndSts><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts>RJCT</TxSts><OrgnlTxRef><Amt><InstdAmt Ccy="EUR">${amount}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>`;
  const text = `<Document><CstmrPmtStsRpt><GrpHdr><MsgId>M</MsgId></GrpHdr><OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId>${rejected("10.00")}${rejected("20.00")}${rejected("20.00")}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`;
  expectDistinct([{ text }]);
});

it("rows of statements are as many as payments, whatever the columns are called", () => {
  const csv = (...rows: string[]) => ({
    text: `fecha;concepto;monto;saldo;moneda;referencia\n${rows.join("\n")}\n`,
  });
  const november = "20/11/2025;Cuota;-25,00;100,00;EUR;C-1";
  const december = "20/12/2025;Cuota;-25,00;100,00;EUR;C-1";
  expectDistinct([csv(november, december)]);
  expectDistinct([csv(november, november)]);
  // A later export has the same rows, and a new one.
  const [first, second] = [keysOf(csv(november, november)), keysOf(csv(november, november, december))];
  expect(second.slice(0, 2)).toEqual(first);
});

it("what was refunded of a Worldpay or Checkout.com payment is another each time", () => {
  const refund = (day: number) =>
    `<paymentService merchantCode="T"><notify><orderStatusEvent orderCode="O"><payment><amount value="1000" currencyCode="EUR" exponent="2"/><lastEvent>REFUNDED</lastEvent></payment><journal journalType="REFUNDED"><bookingDate><date dayOfMonth="${day}" month="11" year="2025"/></bookingDate></journal></orderStatusEvent></notify></paymentService>`;
  const received = (value: number) =>
    `<paymentService merchantCode="T"><reply><ok><refundReceived orderCode="O"><amount value="${value}" currencyCode="EUR" exponent="2"/></refundReceived></ok></reply></paymentService>`;
  expectDistinct([
    { text: refund(20) },
    { text: refund(21) },
    { text: received(500) },
    { text: received(600) },
  ]);
  const payment = {
    id: "pay_1",
    status: "Partially Refunded",
    approved: true,
    amount: 1000,
    currency: "EUR",
    processed_on: "2025-11-21T10:00:00Z",
  };
  expectDistinct([100, 200].map((total) => ({ value: { ...payment, balances: { total_refunded: total } } })));
});

/** The same body with another text where an event's field was read. */
function changed(body: RawBody, { provenance }: Normalised, field: string): RawBody | undefined {
  const source = provenance[field];
  const text = source?.text;
  if (source === undefined || text === undefined || !("value" in body)) {
    return undefined;
  }
  const value = JSON.parse(JSON.stringify(body.value)) as unknown;
  const steps = source.pointer.split("/").slice(1);
  const last = steps.pop() ?? "";
  const parent = steps.reduce<unknown>((node, step) => (node as Record<string, unknown>)?.[step], value);
  const other = /\d/.test(text)
    ? text.replace(/[1-8](?=\D*$)|[1-8]/, (digit) => String(Number(digit) + 1))
    : text;
  if (typeof parent !== "object" || parent === null || other === text) {
    return undefined;
  }
  (parent as Record<string, unknown>)[last] = other;
  return { value };
}

it("no rule has two records that differ in amount or time share a key", () => {
  let compared = 0;
  for (const example of ["examples", "own"].flatMap((name) =>
    examplesIn(readFileSync(`tests/fixtures/provider_events/${name}.jsonl`, "utf8")),
  )) {
    const body = bodyOf(example);
    const [event] = normaliseBody(body, { hint: example.hint });
    for (const field of ["amount", "occurredAt"]) {
      const other = event === undefined ? undefined : changed(body, event, field);
      // A notification's own id is another for each event.
      if (event?.dedupKey != null && other !== undefined && JSON.parse(event.dedupKey).length > 2) {
        expect([example.id, field, keysOf(other, example.hint)[0]]).not.toEqual([
          example.id,
          field,
          event.dedupKey,
        ]);
        compared += 1;
      }
    }
  }
  expect(compared).toBeGreaterThan(40);
});

import type { Prng } from "../../etl/world/prng.js";

/** What must come of an event: `APPROVED 5000 USD`, in minor units; `UNPROCESSED` whatever else is known of it. */
export type Outcome = string;

/** What a provider would have said, and what must come of it: an outcome for each payment in it, in their order. */
export interface Drawn {
  readonly provider: string;
  /** JSON for the column data; XML and CSV are strings. */
  readonly data: unknown;
  readonly outcomes: readonly Outcome[];
  /** It says itself which notification it is: told by two rows it is one event. */
  readonly named: boolean;
}

export type Shape = (rng: Prng, ref: string) => Drawn;

const CENTS = 100;
const MOST_CENTS = 500_000;

const pick = <T>(rng: Prng, list: readonly T[]): T => list[rng.below(list.length)] as T;
const centsOf = (rng: Prng) => CENTS + rng.below(MOST_CENTS);
const major = (cents: number) => (cents / CENTS).toFixed(2);
/** A second of November 2026. */
const secondOf = (rng: Prng) => 1_793_491_200 + rng.below(2_000_000);
const isoOf = (rng: Prng) => new Date(secondOf(rng) * 1_000).toISOString();
const UNPROCESSED = ["UNPROCESSED"];

const stripeEvent: Shape = (rng, ref) => {
  const cents = centsOf(rng);
  const currency = pick(rng, ["usd", "eur", "gbp"]);
  const [type, status, outcome, failure] = pick(rng, [
    ["charge.succeeded", "succeeded", "APPROVED", null],
    ["charge.succeeded", "succeeded", "APPROVED", null],
    ["charge.pending", "pending", "PENDING", null],
    ["charge.failed", "failed", "DECLINED", "insufficient_funds"],
  ] as const);
  const charge = {
    id: `ch_${ref}`,
    object: "charge",
    amount: cents,
    currency,
    status,
    failure_code: failure,
  };
  return {
    provider: "stripe",
    data: { id: `evt_${ref}`, object: "event", created: secondOf(rng), type, data: { object: charge } },
    outcomes: [`${outcome} ${cents} ${currency.toUpperCase()}`],
    named: true,
  };
};

/** As whoever collects events flattens them, with names of their own. */
const flat: Shape = (rng, ref) => {
  const cents = centsOf(rng);
  const [status, outcome] = pick(rng, [
    ["succeeded", "APPROVED"],
    ["pending", "PENDING"],
  ] as const);
  return {
    provider: "stripe",
    data: { p_id: "stripe", ref: `pay-${ref}`, amt: cents, cur: "USD", st: status },
    outcomes: [`${outcome} ${cents} USD`],
    named: false,
  };
};

const adyen: Shape = (rng, ref) => {
  const items = Array.from({ length: 1 + rng.below(2) }, (_, i) => {
    const cents = centsOf(rng);
    const approved = rng.unit() < 0.8;
    const item = {
      amount: { currency: "EUR", value: cents },
      eventCode: "AUTHORISATION",
      eventDate: isoOf(rng),
      merchantAccountCode: "Lago_ECOM",
      merchantReference: `order-${ref}`,
      pspReference: `A${ref}${i}`.toUpperCase(),
      reason: approved ? "" : "Refused",
      success: String(approved),
    };
    return { item, outcome: `${approved ? "APPROVED" : "DECLINED"} ${cents} EUR` };
  });
  return {
    provider: "adyen",
    data: { live: "true", notificationItems: items.map(({ item }) => ({ NotificationRequestItem: item })) },
    outcomes: items.map(({ outcome }) => outcome),
    named: true,
  };
};

const wompi: Shape = (rng, ref) => {
  const cents = CENTS * (1_000 + rng.below(100_000));
  const [status, outcome] = pick(rng, [
    ["APPROVED", "APPROVED"],
    ["PENDING", "PENDING"],
    ["DECLINED", "DECLINED"],
  ] as const);
  const at = isoOf(rng);
  const transaction = {
    id: `11-${ref}`,
    amount_in_cents: cents,
    reference: `order-${ref}`,
    currency: "COP",
    payment_method_type: "CARD",
    status,
    created_at: at,
  };
  return {
    provider: "wompi",
    data: {
      event: "transaction.updated",
      data: { transaction },
      environment: "prod",
      timestamp: secondOf(rng),
      sent_at: at,
    },
    outcomes: [`${outcome} ${cents} COP`],
    named: true,
  };
};

const mercadoPago: Shape = (rng, ref) => {
  const cents = centsOf(rng);
  const [status, detail, outcome] = pick(rng, [
    ["approved", "accredited", "APPROVED"],
    ["in_process", "pending_review_manual", "PENDING"],
    ["rejected", "cc_rejected_insufficient_amount", "DECLINED"],
  ] as const);
  return {
    provider: "mercadopago",
    data: {
      id: `7${ref}`,
      date_created: isoOf(rng),
      operation_type: "regular_payment",
      payment_method_id: "visa",
      payment_type_id: "credit_card",
      status,
      status_detail: detail,
      currency_id: "MXN",
      transaction_amount: Number(major(cents)),
      collector_id: 44_321,
      external_reference: `order-${ref}`,
    },
    outcomes: [`${outcome} ${cents} MXN`],
    named: true,
  };
};

const dlocal: Shape = (rng, ref) => {
  const cents = centsOf(rng);
  const [status, code, detail, outcome] = pick(rng, [
    ["PAID", "200", "The payment was paid.", "APPROVED"],
    ["REJECTED", "302", "Insufficient amount.", "DECLINED"],
    ["PENDING", "100", "The payment is pending.", "PENDING"],
  ] as const);
  return {
    provider: "dlocal",
    data: {
      id: `D-4-${ref}`,
      amount: Number(major(cents)),
      currency: "BRL",
      country: "BR",
      payment_method_id: "VI",
      payment_method_type: "CARD",
      payment_method_flow: "DIRECT",
      created_date: isoOf(rng).replace("Z", "+0000"),
      status,
      status_code: code,
      status_detail: detail,
      order_id: `order-${ref}`,
    },
    outcomes: [`${outcome} ${cents} BRL`],
    named: true,
  };
};

const payPal: Shape = (rng, ref) => {
  const cents = centsOf(rng);
  const [type, status, outcome] = pick(rng, [
    ["PAYMENT.CAPTURE.COMPLETED", "COMPLETED", "APPROVED"],
    ["PAYMENT.CAPTURE.PENDING", "PENDING", "PENDING"],
    ["PAYMENT.CAPTURE.DENIED", "DECLINED", "DECLINED"],
  ] as const);
  return {
    provider: "paypal",
    data: {
      id: `WH-${ref}`,
      event_version: "1.0",
      create_time: isoOf(rng),
      resource_type: "capture",
      resource_version: "2.0",
      event_type: type,
      resource: { id: `C${ref}`, amount: { currency_code: "USD", value: major(cents) }, status },
    },
    outcomes: [`${outcome} ${cents} USD`],
    named: true,
  };
};

const bankCsv: Shape = (rng, ref) => {
  const records = Array.from({ length: 1 + rng.below(3) }, (_, i) => ({
    cents: centsOf(rng),
    id: `RE-${ref}-${i}`,
  }));
  const head =
    '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";"Mandatsreferenz";"Kundenreferenz (End-to-End)";"Sammlerreferenz";"Lastschrift Ursprungsbetrag";"Auslagenersatz Ruecklastschrift";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";"Betrag";"Waehrung";"Info"';
  const lines = records.map(
    ({ cents, id }) =>
      `"DE02120300000000202051";"21.11.26";"21.11.26";"FOLGELASTSCHRIFT";"Beitrag";"DE98ZZZ09999999999";"M-1";"${id}";"";"";"";"Fitness Nord GmbH";"DE89370400440532013000";"COBADEFFXXX";"-${major(cents).replace(".", ",")}";"EUR";"Umsatz gebucht"`,
  );
  return {
    provider: "bank_csv",
    data: `${[head, ...lines].join("\n")}\n`,
    outcomes: records.map(({ cents }) => `APPROVED ${cents} EUR`),
    named: false,
  };
};

const braintreeXml: Shape = (rng, ref) => {
  const cents = centsOf(rng);
  const [status, code, outcome] = pick(rng, [
    ["settled", "1000", "APPROVED"],
    ["processor_declined", "2001", "DECLINED"],
  ] as const);
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<transaction>
  <id>b${ref}</id>
  <status>${status}</status>
  <type>sale</type>
  <currency-iso-code>USD</currency-iso-code>
  <amount>${major(cents)}</amount>
  <merchant-account-id>otter_outfitters</merchant-account-id>
  <created-at type="datetime">${isoOf(rng).slice(0, 19)}Z</created-at>
  <processor-response-code>${code}</processor-response-code>
</transaction>`;
  return {
    provider: "braintree",
    data: { content: xml },
    outcomes: [`${outcome} ${cents} USD`],
    named: true,
  };
};

/** What nobody can make a payment of, and must not be lost either. */
const DIRT: readonly ((ref: string) => unknown)[] = [
  () => ({}),
  () => [],
  () => "",
  () => 42,
  () => null,
  (ref) => `a note of ${ref}`,
  (ref) => ({ note: ref, nested: { deeper: [1, "two", null] } }),
  (ref) => ({ content: `<payment><id>${ref}</id>` }),
  () => ({ content: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>' }),
  (ref) => ({ action: "payment.updated", type: "payment", data: { id: ref } }),
  (ref) => ({
    id: `evt_${ref}`,
    object: "event",
    created: 1_793_491_200,
    type: "customer.created",
    data: { object: { id: `cus_${ref}`, object: "customer" } },
  }),
  (ref) => ({ p_id: "stripe", ref, amt: 100, cur: "USD", st: "who knows" }),
];

const dirt: Shape = (rng, ref) => ({
  provider: "",
  data: pick(rng, DIRT)(ref),
  outcomes: UNPROCESSED,
  named: false,
});

const JSON_SHAPES: readonly Shape[] = [stripeEvent, adyen, wompi, mercadoPago, dlocal, payPal];

/** Three of four as JSON of a provider, the others in all the other ways that a lake has. */
export const SHAPES: readonly Shape[] = [...JSON_SHAPES, ...JSON_SHAPES, flat, bankCsv, braintreeXml, dirt];

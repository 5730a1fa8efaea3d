import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { closeServers, serveApi } from "../../tests/harness/http.js";
import { defineRoute } from "../http/route.js";
import { amount, currency, id, reference, whole } from "./fields.js";
import { parseJson } from "./json_parse.js";
import { formatAmount, parseAmount } from "./money.js";

const accepted = (schema: z.ZodType, json: string) => {
  const parsed = schema.safeParse(parseJson(json));
  return parsed.success ? parsed.data : "refused";
};

describe("a field", () => {
  it.each([
    ["100.50", "100.50"],
    ['"100.50"', "100.50"],
    ["9007199254740993", "9007199254740993"],
    ["1e400", "1e400"],
    ['""', "refused"],
    ["null", "refused"],
    ["true", "refused"],
    ['{"text":"1"}', "refused"],
    [`"${"1".repeat(65)}"`, "refused"],
  ])("for an amount makes %s to %s", (json, expected) => {
    expect(accepted(amount, json)).toBe(expected);
  });

  it.each([
    ["1", 1],
    ["100.0", 100],
    ["0", "refused"],
    ["101", "refused"],
    ["1.5", "refused"],
    ["1.50", "refused"],
    ["1e1000", "refused"],
    ['"1"', "refused"],
  ])("for a whole number makes %s to %s", (json, expected) => {
    expect(accepted(whole(1, 100), json)).toBe(expected);
  });

  it.each(["order-1", "Pedido nº 5", "é", "a b c", "x".repeat(255), "😀"])(
    "for a reference takes %j",
    (text) => {
      expect(reference.parse(text)).toBe(text);
    },
  );

  it.each([
    "",
    " ",
    " a",
    "a ",
    "a  b",
    "a\tb",
    "a\u0000",
    "a\u200b",
    "a\u202eb",
    "\ud800",
    "a\u00a0b",
    "x".repeat(256),
  ])("for a reference takes no %j", (text) => {
    expect(reference.safeParse(text).success).toBe(false);
  });

  it("for an id takes a UUID of version 7, and writes it in one way", () => {
    expect(id.parse("019C2F3A-7D10-7A5E-9A3D-2B7C1D0E4F55")).toBe("019c2f3a-7d10-7a5e-9a3d-2b7c1d0e4f55");
    expect(id.safeParse("019c2f3a-7d10-4a5e-9a3d-2b7c1d0e4f55").success).toBe(false);
  });

  it.each(["usd", "US", "USDX", "", "840"])("for a currency takes no %j", (text) => {
    expect(currency.safeParse(text).success).toBe(false);
  });
});

describe("on a server", () => {
  const pay = defineRoute({
    method: "POST",
    path: "/payments",
    summary: "Pays",
    request: {
      body: z.strictObject({
        amount,
        currency,
        reference: reference.optional(),
        times: whole(1, 5).default(1),
      }),
    },
    answers: { 201: z.object({ amount: z.string() }) },
    handle: async ({ body }) => {
      const paid = formatAmount(parseAmount(body.amount, body.currency), body.currency);
      return { status: 201, body: { amount: paid } };
    },
  });
  let server: FastifyInstance;
  beforeAll(async () => {
    server = await serveApi([pay]);
  });
  afterAll(closeServers);

  const post = (payload: string | Buffer) =>
    server.inject({
      method: "POST",
      url: "/payments",
      payload,
      headers: { "content-type": "application/json" },
    });

  it.each([
    ['{"amount":100.50,"currency":"USD"}', "100.50"],
    ['{"amount":"7","currency":"JPY"}', "7"],
    ['{"amount":9007199254740993,"currency":"EUR"}', "9007199254740993.00"],
  ])("an amount keeps its digits from request to answer: %s", async (payload, expected) => {
    const answer = await post(payload);
    expect([answer.statusCode, answer.json()]).toEqual([201, { amount: expected }]);
  });

  it.each<[string, string | Buffer, number, object]>([
    [
      "decimals too many",
      '{"amount":1.005,"currency":"USD"}',
      422,
      { code: "AMOUNT_INVALID", retryable: false },
    ],
    ["an exponent", '{"amount":1e400,"currency":"USD"}', 422, { code: "AMOUNT_INVALID" }],
    ["another currency", '{"amount":1,"currency":"XXX"}', 422, { code: "CURRENCY_UNKNOWN" }],
    [
      "a truth for an amount",
      '{"amount":true,"currency":"USD"}',
      400,
      { errors: [{ in: "body", pointer: "#/amount" }] },
    ],
    ["two amounts", '{"amount":1,"amount":2,"currency":"USD"}', 400, { code: "MESSAGE_MALFORMED" }],
    ["__proto__", '{"amount":1,"currency":"USD","__proto__":{}}', 400, { code: "MESSAGE_MALFORMED" }],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400, { code: "MESSAGE_MALFORMED" }],
  ])("%s: a problem", async (_, payload, status, expected) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject(expected);
  });

  it("OpenAPI tells what the fields take", async () => {
    const { requestBody } = (await server.inject("/openapi.json")).json().paths["/payments"].post;
    const { properties, required } = requestBody.content["application/json"].schema;
    expect(properties.amount).toMatchObject({ type: ["string", "number"], maxLength: 64 });
    expect(properties.times).toMatchObject({ type: "integer", minimum: 1, maximum: 5 });
    expect(required).toEqual(["amount", "currency"]);
  });
});

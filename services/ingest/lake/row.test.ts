import { describe, expect, it } from "vitest";
import { JsonNumber } from "../../../lib/domain/json.js";
import { eventOf } from "./row.js";

const row = { id: "r1", data: "{}", merchantName: null, merchantCountry: null, transactionalId: null };
const readOf = (data: string | null) => {
  const { raw, hint } = eventOf({ ...row, data });
  return [raw, hint];
};

describe("a row of the data lake", () => {
  it.each([
    ["an object", '{"amt":1}', { value: { amt: 1 } }, undefined],
    [
      "with a provider",
      '{"amt":1,"provider":" stripe "}',
      { value: { amt: 1, provider: " stripe " } },
      "stripe",
    ],
    ["with a p_id", '{"p_id":"adyen"}', { value: { p_id: "adyen" } }, "adyen"],
    ["with both", '{"p_id":7,"provider":"wompi"}', { value: { p_id: 7, provider: "wompi" } }, "wompi"],
    ["with a number as p_id", '{"p_id":7}', { value: { p_id: 7 } }, "7"],
    ["with what is no name", '{"p_id":{},"provider":""}', { value: { p_id: {}, provider: "" } }, undefined],
    ["XML in content", '{"content":"<a/>","p_id":"worldpay"}', { text: "<a/>" }, "worldpay"],
    ["CSV", '"id;amount\\n1;2"', { text: "id;amount\n1;2" }, undefined],
    ["a list", '[{"a":1}]', { value: [{ a: 1 }] }, undefined],
    ["a scalar", "12", { value: 12 }, undefined],
    ["nothing", null, { value: null }, undefined],
    [
      "all digits",
      '{"id":9007199254740993}',
      { value: { id: new JsonNumber("9007199254740993") } },
      undefined,
    ],
    ["cut", '{"a":"b', { text: '{"a":"b' }, undefined],
  ])("is read: %s", (_, data, raw, hint) => {
    expect(readOf(data)).toEqual([raw, hint]);
  });

  it("is known by its transaction and itself, and brings its merchant", () => {
    const merchant = { merchantName: "Acme", merchantCountry: "mx" };
    expect(eventOf({ ...row, ...merchant, transactionalId: "t1" })).toMatchObject({
      source: "lake",
      sourceKey: "t1/r1",
      merchant: { name: "Acme", country: "mx" },
    });
    expect(eventOf(row).sourceKey).toBe("r1");
  });
});

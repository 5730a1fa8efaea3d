import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hrefOf, match, placeOf } from "./route.js";

describe("placeOf", () => {
  it.each([
    ["", [], {}],
    ["#/", [], {}],
    ["#/payments", ["payments"], {}],
    ["#/payments?state=DECLINED&customer=a%26b", ["payments"], { state: "DECLINED", customer: "a&b" }],
    ["#/queues/a%2Fb?cursor=x?y", ["queues", "a/b"], { cursor: "x?y" }],
    ["#/queues/100%", ["queues", "100%"], {}],
  ])("%s", (hash, path, query) => {
    expect(placeOf(hash)).toEqual({ path, query });
  });

  it("is the inverse of hrefOf, whatever a queue is called", () => {
    const part = fc.string({ minLength: 1, unit: "grapheme" });
    fc.assert(
      fc.property(fc.array(part), part, (path, q) => {
        expect(placeOf(hrefOf(path, { q }))).toEqual({ path, query: { q } });
      }),
    );
  });
});

it("match gives the parameters of the page's pattern", () => {
  expect(match("", [])).toEqual({});
  expect(match("queues/:name/letters/:id", ["queues", "wallet.dlq", "letters", "7"])).toEqual({
    name: "wallet.dlq",
    id: "7",
  });
  expect(match("queues/:name", ["queues"])).toBeUndefined();
  expect(match("runs/:run", ["queues", "x"])).toBeUndefined();
});

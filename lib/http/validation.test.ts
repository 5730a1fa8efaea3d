import { describe, expect, it } from "vitest";
import { z } from "zod";
import { validatorCompiler } from "./validation.js";

const schema = z.strictObject({
  amount: z.string(),
  items: z.array(z.strictObject({ sku: z.string().max(3) })).optional(),
  labels: z.record(z.string(), z.string()).optional(),
});
function refused(part: unknown) {
  const { error } = validatorCompiler({ schema })(part);
  if (error === undefined) {
    throw new Error("it fits");
  }
  return error.fields;
}

describe("what does not fit is pointed at", () => {
  it.each<[string, unknown, string[]]>([
    ["a field that lacks", {}, ["#/amount"]],
    ["a field within", { amount: "1", items: [{ sku: "a" }, { sku: "abcd" }] }, ["#/items/1/sku"]],
    ["fields nobody knows", { amount: "1", a: 1, "b/c~d": 2 }, ["#/a", "#/b~1c~0d"]],
    ["an unknown field within", { amount: "1", items: [{ sku: "a", x: 1 }] }, ["#/items/0/x"]],
    [
      "a field of a name that has to be written otherwise",
      { amount: "1", labels: { "a/b": 1 } },
      ["#/labels/a~1b"],
    ],
    ["another value than an object", 7, ["#"]],
    ["nothing", null, ["#"]],
  ])("%s", (_, part, pointers) => {
    expect(refused(part).map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it("but no value is repeated, no long name, and no more than twenty", () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`field ${i}`, "secret"]));
    expect(refused({ amount: "1", ...many })).toHaveLength(20);
    const fields = JSON.stringify(
      refused({ amount: 4_111_111, labels: { x: 5_500_005 }, ["y".repeat(9_000)]: 1 }),
    );
    expect(fields).not.toMatch(/4111111|5500005|y{65}/);
  });

  it("in the part of the request that fastify names", () => {
    const { error } = validatorCompiler({ schema })({});
    Object.assign(error ?? {}, { validationContext: "querystring" });
    expect(error?.fields[0]?.in).toBe("query");
  });
});

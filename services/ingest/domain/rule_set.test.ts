import { describe, expect, it } from "vitest";
import { normaliseBody } from "./normalise.js";
import { RuleSet } from "./rule_set.js";
import { RULE_SET, RULE_SET_VERSION } from "./rules/index.js";

/** Of each version that was in use: a changed table is another version. Add a line when you raise it. */
const DIGESTS: Readonly<Record<number, string>> = {
  1: "c8001e1f04d86fbfc433e4d79c6a8e6caa00f2dd4dac1b9cabaa838a49ddb547",
  2: "a9859eebf1e94e0340e38299edb168976d1752fa8ff065a7b8e3e576ad2833b5",
};

describe("the rules that come with the platform", () => {
  it("are another version when a table of them changes", () => {
    expect(RULE_SET.digest).toBe(DIGESTS[RULE_SET_VERSION]);
  });

  it("name each shape once, but for flat ones", () => {
    const names = RULE_SET.rules.map(({ name }) => name).filter((name) => !name.endsWith("/flat"));
    expect(names).toEqual([...new Set(names)]);
  });

  it.each([
    ["Mercado Pago", "mercadopago"],
    ["Authorize.Net", "authorize_net"],
    ["checkout", "checkout_com"],
    ["PayU", "payu_latam"],
    ["nobody", undefined],
  ])("know the provider that %s names", (hint, provider) => {
    expect(RULE_SET.provider(hint)?.provider).toBe(provider);
  });
});

describe("a rule set", () => {
  const provider = {
    provider: "acme",
    rules: [
      {
        name: "event",
        when: [{ at: "/kind" }],
        status: [{ by: ["/kind", "/state"], outcomes: { APPROVED: "pay/ok|fine", DECLINED: "pay/no*" } }],
        id: { object: ["/id"], version: ["/state"] },
      },
    ],
  };
  const rules = new RuleSet(1, [provider]);
  const status = (value: unknown) => normaliseBody({ value }, { rules })[0];

  it.each([
    [{ kind: "pay", state: "OK " }, "APPROVED", null],
    [{ kind: "pay", state: "nope" }, "DECLINED", null],
    [{ kind: "pay", state: "other" }, "UNPROCESSED", "UNKNOWN_VALUE"],
    [{ kind: "pay" }, "UNPROCESSED", "UNKNOWN_VALUE"],
    [{ kind: {} }, "UNPROCESSED", "NO_STATUS"],
    [{ state: "ok" }, "UNPROCESSED", "UNRECOGNISED"],
  ])("%j is %s", (value, expected, code) => {
    expect(status(value)).toMatchObject({ status: expected, unprocessed: code === null ? null : { code } });
  });

  it("asks what was learned only for shapes that it does not know", () => {
    const asked: unknown[] = [];
    const learned = (record: unknown) => {
      asked.push(record);
      return undefined;
    };
    normaliseBody(
      { value: [{ kind: "pay", state: "ok" }, { state: "ok" }] },
      { rules, learned, hint: "Acme" },
    );
    expect(asked).toEqual([{ format: "json", root: { state: "ok" }, hint: "Acme" }]);
  });

  it("with an outcome that there is not cannot be made", () => {
    const status = [{ by: ["/kind"], outcomes: { PAID: "x" } }];
    const wrong = provider.rules.map((rule) => ({ ...rule, status }));
    expect(() => new RuleSet(1, [{ ...provider, rules: wrong }])).toThrow(RangeError);
  });

  it("has another digest when its data changes", () => {
    expect(new RuleSet(1, [{ ...provider, aliases: ["other"] }]).digest).not.toBe(rules.digest);
  });
});

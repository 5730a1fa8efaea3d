import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageOf } from "../errors.js";
import { JsonNumber, numberText } from "./json.js";
import { parseJson } from "./json_parse.js";

/** Numbers as JavaScript has them, as `JSON.parse` would give. */
function plain(value: unknown): unknown {
  if (value instanceof JsonNumber) {
    return Number(value.text);
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  return value;
}

function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    // What was done to a text may make two of its names one; JSON.parse does not mind.
    fc.pre(!messageOf(error).includes("comes twice"));
    return "refused";
  }
}

const refused = expect.objectContaining({ code: "MESSAGE_MALFORMED" });
const document = fc.json({ depthSize: "medium" }).filter((text) => !text.includes("__proto__"));

describe("a number", () => {
  it.each([
    "9007199254740993",
    "100.50",
    "1e400",
    "1E2",
    "-0",
    "0.1000000000000000055",
    "18446744073709551616",
    "1e-7000",
  ])("that JavaScript would change keeps its text: %s", (text) => {
    expect(parseJson(`{"n": ${text} }`)).toEqual({ n: new JsonNumber(text) });
  });

  it.each(["0", "-1", "100.5", "0.1", "9007199254740991", "1e+21", "5e-324"])(
    "that JavaScript writes alike is a number: %s",
    (text) => {
      expect(parseJson(text)).toBe(Number(text));
    },
  );

  it("comes out with the text that it had", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 40 });
    const fraction = fc.option(digits, { nil: undefined });
    fc.assert(
      fc.property(fc.boolean(), digits, fraction, (negative, whole, decimals) => {
        const text = `${negative ? "-" : ""}${whole.replace(/^0+(?=.)/, "")}${decimals === undefined ? "" : `.${decimals}`}`;
        expect(numberText(parseJson(text))).toBe(text);
      }),
    );
  });
});

describe("a text", () => {
  it("has the value that JSON.parse gives it", () => {
    fc.assert(
      fc.property(document, fc.constantFrom(0, 1, 2, "\t", "\r\n "), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), null, space);
        expect(plain(parseJson(spaced))).toEqual(JSON.parse(spaced));
      }),
    );
  });

  it("is taken or refused as JSON.parse does, whatever was done to it", () => {
    const piece = fc.constantFrom(
      ..."{}[]\",:\\ \n\t0123456789-+.eEtrufalsn'/u\u0000\u001f\ud800é".split(""),
    );
    fc.assert(
      fc.property(
        document,
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.array(piece, { maxLength: 3 }),
        (text, place, cut, put) => {
          const at = place % (text.length + 1);
          const changed = text.slice(0, at) + put.join("") + text.slice(at + cut);
          expect(outcome(() => plain(parseJson(changed)))).toEqual(outcome(() => JSON.parse(changed)));
        },
      ),
      // Fewer seldom meet a broken escape.
      { numRuns: 3_000 },
    );
  });

  it("may begin with a byte order mark, and escape anything", () => {
    expect(parseJson('\ufeff{"\\u0061\\n\\"\\\\": "\\ud83d\\ude00"}')).toEqual({ 'a\n"\\': "😀" });
  });
});

describe("refused is", () => {
  it.each([
    ["a name that comes twice", '{"amount":1,"amount":1}'],
    ["the same name in other words", '{"amount":1,"\\u0061mount":2}'],
    ["__proto__", '{"a":[{"__proto__":{"admin":true}}]}'],
    ["__proto__ in other words", '{"\\u005f_proto__":{"admin":true}}'],
    ["33 levels", `${'{"a":['.repeat(16)}[${"]}".repeat(16)}]`],
    ["100,000 levels", "[".repeat(100_000)],
    ["nothing", ""],
    ["half a string", '"abc'],
    ["half an escape", '"abc\\'],
    ["a second value", "1 2"],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xc3, 0x22])],
  ])("%s", (_, body) => {
    expect(() => parseJson(body)).toThrow(refused);
  });

  it("nothing of 32 levels, however many values have them, nor a name that other objects have", () => {
    expect(parseJson(`[${"[{}],".repeat(100)}0]`)).toHaveLength(101);
    expect(parseJson(`${"[".repeat(32)}${"]".repeat(32)}`)).toBeInstanceOf(Array);
    expect(parseJson('{"a":{"a":1},"b":[{"a":1},{"a":2}],"toString":1}')).toEqual({
      a: { a: 1 },
      b: [{ a: 1 }, { a: 2 }],
      toString: 1,
    });
  });

  it("told by its place, never by its text", () => {
    expect(() => parseJson('{"secret": secret}')).toThrow(
      /^body is not JSON: a value is missing, at character 12\.$/,
    );
  });

  it("harmless: no object gets another prototype", () => {
    const value = parseJson('{"constructor":{"prototype":{"admin":true}}}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect("admin" in {}).toBe(false);
  });
});

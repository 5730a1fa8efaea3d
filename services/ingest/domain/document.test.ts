import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_BYTES, parseDocument } from "./document.js";
import { normaliseBody, type RawBody } from "./normalise.js";

const nested = (levels: number) => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) {
    value = { a: value };
  }
  return value;
};
const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));

/** What nobody may read, or what would take long. */
const HOSTILE: readonly (readonly [string, RawBody])[] = [
  ["65 levels of JSON", { text: `${'{"a":'.repeat(65)}1${"}".repeat(65)}` }],
  ["a value of 5,000 levels", { value: nested(5_000) }],
  ["2,001 keys", { value: keys(2_001) }],
  ["a list of 130,000 scalars", { value: { notificationItems: Array.from({ length: 130_000 }, () => 0) } }],
  [
    "lists of 5,001 items",
    { value: { a: Array.from({ length: 3_000 }, () => 0), b: Array.from({ length: 2_001 }, () => 0) } },
  ],
  ["too many bytes", { text: `{"a":"${"x".repeat(MAX_BYTES)}"}` }],
  ["too many bytes in few characters", { text: `{"a":"${"€".repeat(MAX_BYTES / 3)}"}` }],
  ["NUL", { value: { a: "x\0y" } }],
  ["NUL as an escape", { text: '{"a":"x\\u0000y"}' }],
  ["half a surrogate pair", { text: '{"a":"\\ud83d"}' }],
  ["__proto__", { text: '{"__proto__":{"a":1}}' }],
  ["constructor", { value: { a: { constructor: 1 } } }],
  ["a name twice", { text: '{"a":1,"a":2}' }],
  ["half a document", { text: '{"a":' }],
  ["nothing", { text: " \n" }],
  ["a scalar", { value: 12 }],
  ["null", { value: null }],
  ["an empty list", { value: [] }],
  ["entities", { text: '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>' }],
  [
    "an entity bomb",
    {
      text: `<!DOCTYPE a [<!ENTITY a0 "ha">${Array.from({ length: 30 }, (_, i) => `<!ENTITY a${i + 1} "&a${i};&a${i};">`).join("")}]><a>&a30;</a>`,
    },
  ],
  ["an internal subset after an identifier", { text: '<!DOCTYPE a SYSTEM "b" [<!ELEMENT a ANY>]><a/>' }],
  ["a quote in a DOCTYPE that hides a subset", { text: `<!DOCTYPE a SYSTEM '">' [ <!ELEMENT a ANY>]><a/>` }],
  ["65 levels of XML", { text: `${"<a>".repeat(65)}${"</a>".repeat(65)}` }],
  [
    "30,000 attributes",
    { text: `<a ${Array.from({ length: 30_000 }, (_, i) => `b${i}=""`).join(" ")}/>`.slice(0, 250_000) },
  ],
  ["20,000 elements", { text: `<a>${"<b/>".repeat(20_000)}</a>` }],
  ["XML that does not close", { text: "<a><b></a>" }],
  ["an element called __proto__", { text: "<a><__proto__>1</__proto__></a>" }],
  ["a reference to no character", { text: "<a>&#0;</a>" }],
  ["a column twice", { text: "a,b,a\n1,2,3\n" }],
  ["lines of other lengths", { text: "a,b\n1,2,3\n" }],
  [
    "a quote that swallows the next line",
    { text: 'id,status,amount,currency\nQ-1,"approved,10.00,USD\nQ-2,declined,20.00,USD\n' },
  ],
  ["a name of a form twice", { text: "a=1&a=2" }],
  ["text", { text: "hello" }],
  ["quotes, many", { text: '"'.repeat(200_000) }],
  ["commas, many", { text: ",".repeat(200_000) }],
  ["ampersands, many", { text: "&".repeat(200_000) }],
  ["less-than signs, many", { text: "<".repeat(200_000) }],
  ["a DOCTYPE without end", { text: `<!DOCTYPE ${"'".repeat(200_000)}` }],
  ["brackets, many", { text: "[".repeat(200_000) }],
];

describe("a body with", () => {
  it.each(HOSTILE)("%s is MALFORMED, without much work", (_, body) => {
    const before = process.cpuUsage();
    const events = normaliseBody(body);
    const { user } = process.cpuUsage(before);
    expect(events).toMatchObject([{ status: "UNPROCESSED", unprocessed: { code: "MALFORMED" } }]);
    // 100 ms on a free machine. This is of the whole process, in which other files of tests run too.
    expect(user).toBeLessThan(1_000_000);
  });

  it("whatever it holds gives an event and never throws", () => {
    const body: fc.Arbitrary<RawBody> = fc.oneof(
      fc.record({ value: fc.anything({ maxDepth: 2, maxKeys: 3 }) }),
      fc.record({ value: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown> }),
      fc.record({ text: fc.string({ unit: "binary" }) }),
      fc.record({ text: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)) }),
      fc.record({ text: fc.stringMatching(/^[<>a&;"='/![\]D,\n]{0,60}$/) }),
    );
    fc.assert(
      fc.property(body, fc.constantFrom(undefined, "stripe", "authorize_net", "nobody"), (each, hint) => {
        const events = normaliseBody(each, { hint });
        expect(events.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe("parseDocument", () => {
  it("takes 64 levels and 2,000 keys", () => {
    expect(() => parseDocument({ text: `${'{"a":'.repeat(64)}1${"}".repeat(64)}` })).not.toThrow();
    expect(() => parseDocument({ value: keys(2_000) })).not.toThrow();
  });

  it("names an external DTD, and decodes what XML knows by itself", () => {
    const text =
      '<!DOCTYPE a PUBLIC "-//x//y" "http://example.test/a.dtd"><n:a xmlns:n="u" b="1 &lt; 2">x &amp; &#233; &eacute;</n:a>';
    expect(parseDocument({ text }).root).toEqual({ a: { "@b": "1 < 2", "#text": "x & é &eacute;" } });
  });

  it.each<[string, string, unknown]>([
    ['\ufeffa;b\n1;"2;3"\n', "csv", [{ a: "1", b: "2;3" }]],
    ["a=1&b=%C3%A9+x&c=%E9", "form", { a: "1", b: "é x", c: "é" }],
    ['[{"a":1}]', "json", [{ a: 1 }]],
    [" A ,b b\n1,2\n", "csv", [{ a: "1", "b b": "2" }]],
  ])("%j is %s", (text, format, root) => {
    expect(parseDocument({ text })).toEqual({ format, root });
  });
});

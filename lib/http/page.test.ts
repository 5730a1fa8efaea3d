import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { closeServers, serveApi } from "../../tests/harness/http.js";
import { instant, keyset } from "./page.js";
import { defineRoute } from "./route.js";

afterEach(closeServers);

/** Anybody can make the check. */
function byHand(name: string, text: string): string {
  const check = createHash("sha256").update(`${name} ${text}`).digest().subarray(0, 6);
  return Buffer.concat([check, Buffer.from(text)]).toString("base64url");
}

/** Three rows a microsecond: only with its id a time is a place. */
const rows = Array.from({ length: 250 }, (_, i) => ({
  at: `2026-01-02T03:04:05.${String(Math.floor(i / 3)).padStart(6, "0")}Z`,
  n: i,
}));
const pages = keyset("rows", { at: instant, n: z.number().int() });
const list = defineRoute({
  method: "GET",
  path: "/rows",
  summary: "Rows by pages",
  request: { query: z.strictObject({ ...pages.query }) },
  answers: { 200: pages.answer(z.object({ at: z.string(), n: z.number() })) },
  handle: async ({ query }) => {
    const { cursor } = query;
    const after = rows.filter(({ at, n }) => !cursor || at > cursor.at || (at === cursor.at && n > cursor.n));
    return { status: 200, body: pages.page(after.slice(0, pages.rowsOf(query)), query, (row) => row) };
  },
});

interface Listed {
  readonly items: readonly { readonly n: number }[];
  readonly has_more: boolean;
  readonly next: string | null;
}

async function get(query: string) {
  const server = await serveApi([list]);
  return server.inject(`/rows?${query}`);
}

describe("a list by pages", () => {
  it.each([1, 7, 50, 100])("has every row once, at %i a page", async (limit) => {
    const server = await serveApi([list]);
    const seen: number[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const page: Listed = (await server.inject(`/rows?limit=${limit}${next && `&cursor=${next}`}`)).json();
      seen.push(...page.items.map(({ n }) => n));
      expect(page.has_more).toBe(page.next !== null);
      next = page.next;
    }
    expect(seen).toEqual(rows.map(({ n }) => n));
  });

  it("has 50 rows a page when nobody says how many", async () => {
    expect((await get("")).json().items).toHaveLength(50);
  });

  it.each(["0", "101", "-1", "x", "1.5", ""])("takes no limit of %j", async (limit) => {
    expect((await get(`limit=${limit}`)).json()).toMatchObject({
      ...{ status: 400, code: "REQUEST_INVALID" },
      errors: [{ in: "query", pointer: "#/limit" }],
    });
  });
});

describe("a cursor", () => {
  const first = { at: "2026-01-02T03:04:05.000000Z", n: 1 };
  const odd = { at: "2026-02-30T00:00:00.000000Z", n: 1 };
  const others = keyset("others", { at: instant, n: z.number() });
  const texts = keyset("rows", { at: z.string(), n: z.number() });
  const fewer = keyset("rows", { at: instant });
  const refused = { status: 400, code: "REQUEST_INVALID", errors: [{ in: "query", pointer: "#/cursor" }] };

  it("is refused when any of its characters is another", async () => {
    const { next } = (await get("limit=5")).json();
    const server = await serveApi([list]);
    for (let i = 0; i < next.length; i++) {
      const changed = `${next.slice(0, i)}${next[i] === "A" ? "B" : "A"}${next.slice(i + 1)}`;
      expect((await server.inject(`/rows?cursor=${changed}`)).json()).toMatchObject(refused);
    }
    expect((await server.inject(`/rows?cursor=${next}`)).statusCode).toBe(200);
  });

  it.each([
    ["cut", (next: string) => next.slice(0, -1)],
    ["longer", (next: string) => `${next}A`],
    ["in other base64", (next: string) => `${next}%3D`],
    ["empty", () => ""],
    ["text", () => "hello"],
    ["huge", () => "A".repeat(5_000)],
    ["of another list", () => others.page([first, first], { limit: 1 }, (row) => row).next],
    ["of values that are none", () => texts.page([odd, odd], { limit: 1 }, (row) => row).next],
    ["of fewer values", () => fewer.page([first, first], { limit: 1 }, ({ at }) => ({ at })).next],
    ["made by hand of no JSON", () => byHand("rows", "[1")],
    ["made by hand of no list", () => byHand("rows", "null")],
  ])("that is %s is refused", async (_, change) => {
    const { next } = (await get("limit=5")).json();
    expect((await get(`cursor=${change(next)}`)).json()).toMatchObject(refused);
  });
});

import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { closeServers, serveApi } from "../../tests/harness/http.js";
import { defineRoute, type Route } from "./route.js";

afterEach(closeServers);

const pay: Route = {
  ...defineRoute({
    method: "POST",
    path: "/pots/:id/pay",
    summary: "Pays",
    idempotency: "required",
    bodies: { "application/x-ndjson": "stream" },
    request: { params: z.object({ id: z.string() }), body: z.strictObject({ amount: z.string() }) },
    answers: { 201: z.object({ id: z.string() }) },
    handle: async () => ({ status: 201, body: { id: "1" } }),
  }),
  service: "pots-service",
};
const list = defineRoute({
  method: "GET",
  path: "/elsewhere",
  summary: "Runs in another process",
  answers: { 200: z.array(z.string()) },
  handle: () => Promise.reject(new Error("it does not run here")),
});

describe("/openapi.json", () => {
  it("describes what runs here and elsewhere, keys, kinds of bodies and refusals", async () => {
    const server = await serveApi([pay], { described: () => [pay, list] });
    const document = (await server.inject("/openapi.json/")).json();
    const { post } = document.paths["/pots/{id}/pay"];
    expect(post.tags).toEqual(["pots-service"]);
    expect(
      post.parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required]),
    ).toEqual([
      ["id", true],
      ["Idempotency-Key", true],
    ]);
    expect(Object.keys(post.requestBody.content)).toEqual(["application/json", "application/x-ndjson"]);
    expect(Object.keys(document.paths["/elsewhere"].get.responses)).toEqual([
      "200",
      "400",
      "401",
      "429",
      "503",
    ]);
    expect(document.security).toEqual([{ bearer: [] }, { api_key: [] }, {}]);
    expect(document.components.responses.Problem.content["application/problem+json"].schema).toEqual({
      $ref: "#/components/schemas/Problem",
    });
    expect((await server.inject("/elsewhere")).statusCode).toBe(404);
  });

  it("has every field of a problem", async () => {
    const server = await serveApi([pay]);
    const { properties } = (await server.inject("/openapi.json")).json().components.schemas.Problem;
    const problem = (await server.inject({ method: "POST", url: "/pots/1/pay", payload: { x: 1 } })).json();
    expect(Object.keys(problem).sort()).toEqual(Object.keys(properties).sort());
    expect(Object.keys(problem.errors[0]).sort()).toEqual(
      Object.keys(properties.errors.items.properties).sort(),
    );
  });
});

describe("/docs", () => {
  it("loads its own script and nothing else", async () => {
    const server = await serveApi([pay]);
    const page = await server.inject("/docs");
    expect(page.headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'sha256-/,
    );
    expect(page.body).not.toMatch(/https?:|<script(?! type="module" src="\/docs\/page.mjs"><)/);
    const script = await server.inject("/docs/page.mjs");
    expect(script.headers["content-type"]).toContain("text/javascript");
    expect(script.body).toContain('fetch("/openapi.json")');
    expect(script.body).not.toMatch(/innerHTML|https?:/);
  });

  it("shows each endpoint, with a call to begin with, and the shape of refusals", async () => {
    const server = await serveApi([pay], { described: () => [pay, list] });
    const main = new FakeElement();
    const page = {
      document: { querySelector: () => main, createElement: () => new FakeElement() },
      location: { origin: "http://localhost" },
      fetch: async (url: string) => {
        const { statusCode, body } = await server.inject(url);
        return { ok: statusCode === 200, json: async () => JSON.parse(body) };
      },
    };
    for (const [name, value] of Object.entries(page)) {
      vi.stubGlobal(name, value);
    }
    await import("./docs_page.mjs" as string);
    vi.unstubAllGlobals();
    for (const shown of [
      "pots-service",
      "/pots/{id}/pay",
      "Pays",
      `-d '{"amount":"text"}'`,
      "/elsewhere",
      "trace_id",
    ]) {
      expect(main.text()).toContain(shown);
    }
  });
});

/** As much of an element as the page uses. */
class FakeElement {
  className = "";
  #content: readonly unknown[] = [];

  append(...content: readonly unknown[]): void {
    this.#content = content;
  }

  replaceChildren(...content: readonly unknown[]): void {
    this.#content = content;
  }

  text(): string {
    return this.#content.map((each) => (each instanceof FakeElement ? each.text() : String(each))).join(" ");
  }
}

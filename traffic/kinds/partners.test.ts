import { describe, expect, it } from "vitest";
import { webhookKey } from "../../lib/webhook/signature.js";
import { verifyWebhook } from "../../lib/webhook/verify.js";
import { Target } from "../load/target.js";
import { DEFAULT_SPEC } from "../spec.js";
import { drawEvent, partnerSource } from "./partners.js";

const N = 20_000;
const spec = { ...DEFAULT_SPEC, refusedShare: 0.3 };
const drawn = Array.from({ length: N }, (_, n) => drawEvent(spec, n));
const share = (is: (event: (typeof drawn)[number]) => boolean) => drawn.filter(is).length / N;

describe("generated events of partners", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(drawEvent(spec, 7)).toEqual(drawn[7]);
    const other = Array.from({ length: 20 }, (_, n) => drawEvent({ ...spec, seed: 2 }, n));
    expect(other).not.toEqual(drawn.slice(0, 20));
  });

  it("are of all types, and refused as the spec says", () => {
    expect(share(({ type }) => type === "click")).toBeCloseTo(0.3, 1);
    expect(share(({ type }) => type === "impression")).toBeCloseTo(0.3, 1);
    expect(share(({ type }) => type === "payment")).toBeCloseTo(0.2, 1);
    for (const expected of ["spent or over_budget", "not_active", "wrong_currency"]) {
      expect(share((event) => event.expected === expected)).toBeCloseTo(0.02, 2);
    }
    expect(share(({ expected }) => expected === "spent")).toBeCloseTo(0.14, 2);
  });
});

describe("their requests", () => {
  const key = webhookKey(`whsec_${"A".repeat(32)}`);
  const target = new Target("http://127.0.0.1:8080", "k");
  const campaigns = Array.from({ length: 12 }, (_, i) => ({
    id: `0198c2a4-7d00-7000-8000-0000000000${String(i).padStart(2, "0")}`,
    currency: "USD",
    budgetMinor: 1,
    active: true,
  }));
  const requestsOf = (keys: Map<string, Buffer[]> | undefined) => {
    const source = partnerSource({ trafficId: 3, spec, target, requests: 50, keys }, campaigns);
    return Array.from({ length: 50 }, (_, n) => source.request(n).split("\r\n\r\n") as [string, string]);
  };

  it("tell an event each, some of them again", () => {
    const bodies = requestsOf(undefined).map(([, body]) => JSON.parse(body));
    expect(new Set(bodies.map(({ event_id }) => event_id)).size).toBe(40);
    for (const body of bodies) {
      expect(body.source).toMatch(/^traffic-/);
    }
  });

  it("are signed by the source of their event, whose body they have to the byte", () => {
    for (const [head, body] of requestsOf(new Map([["shop", [key]]]))) {
      const lines = head.split("\r\n").slice(1);
      const headers = Object.fromEntries(lines.map((line) => line.split(": ") as [string, string]));
      expect(() => verifyWebhook([key], headers, Buffer.from(body))).not.toThrow();
      expect([headers["content-length"], headers["x-api-key"]]).toEqual([String(body.length), "k"]);
      expect(JSON.parse(body).source).toBe("shop");
    }
  });
});

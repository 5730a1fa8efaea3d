import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import type { Pool } from "../lib/postgres/pool.js";
import type { Kind } from "./kinds/kind.js";
import type { Outcome } from "./load/outcome.js";
import { Target } from "./load/target.js";
import { runTraffic, type TrafficOptions } from "./run.js";
import { DEFAULT_SPEC } from "./spec.js";

let server: FastifyInstance | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** What a server does with the k-th time that it is asked for payment n. */
type Behaviour = (n: number, time: number, reply: FastifyReply) => unknown;

/** Serves POST /things, notes what came, and counts what took effect. */
async function serve(behave: Behaviour) {
  const asked = new Map<number, number>();
  server = fastify({ forceCloseConnections: true });
  server.post<{ Body: { n: number } }>("/things", (request, reply) => {
    const { n } = request.body;
    const time = (asked.get(n) ?? 0) + 1;
    asked.set(n, time);
    return behave(n, time, reply);
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return { asked, target: new Target(`http://127.0.0.1:${port}`, "") };
}

/** Numbered requests, and the outcomes that were kept of them. */
function numbered(target: Target) {
  const kept: Outcome[] = [];
  const kind: Kind = {
    name: "payments",
    prepare: async () => ({
      request: (n) => {
        const body = JSON.stringify({ n });
        return `${target.head("/things")}${body.length}\r\n\r\n${body}`;
      },
      enterKey: async (_, outcomes) => {
        kept.push(...outcomes);
      },
    }),
  };
  return { kind, kept };
}

/** Of the store only an id is wanted here. */
const client = { query: async () => ({ rows: [{ trafficId: 5n }] }), release: () => undefined };
const pool = { ...client, connect: async () => client } as unknown as Pool;

async function run(behave: Behaviour, more: Partial<TrafficOptions> = {}) {
  const { asked, target } = await serve(behave);
  const { kind, kept } = numbered(target);
  const result = await runTraffic({
    spec: { ...DEFAULT_SPEC, ratePerS: 400, seconds: 0.5 },
    kinds: [kind],
    target,
    wallets: target,
    campaigns: target,
    keys: undefined,
    maxConnections: 50,
    timeoutMs: 500,
    pool,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...more,
  });
  return { asked, kept, result };
}

const created = (reply: FastifyReply) => reply.code(201).send({ ok: true });

describe("traffic", () => {
  it("sends every request once and at its time", async () => {
    const { asked, kept, result } = await run((_n, _time, reply) => created(reply));
    expect(result).toMatchObject({
      traffic: 5,
      sent: 200,
      created: 200,
      refused: 0,
      unknown: 0,
      failures: {},
    });
    expect(asked.size).toBe(200);
    expect([...asked.values()].every((times) => times === 1)).toBe(true);
    expect(kept).toEqual(new Array(200).fill("created"));
    expect(result.seconds).toBeGreaterThan(0.49);
    expect(result.latencyMs.p50).toBeGreaterThan(0);
  });

  it("tells what was refused for certain from what may have taken effect, and asks only for that again", async () => {
    const { asked, kept, result } = await run((n, time, reply) => {
      if (n === 3) {
        return reply.code(422).send({ code: "AMOUNT_INVALID" });
      }
      if (n === 4) {
        return reply.code(503).send({ code: "OVERLOADED" });
      }
      if (n === 5 && time === 1) {
        return reply.code(500).send({ code: "INTERNAL" });
      }
      if (n === 6 && time === 1) {
        reply.raw.socket?.destroy();
        return reply.hijack();
      }
      if (n === 7 && time === 1) {
        return reply.hijack(); // and says nothing
      }
      return created(reply);
    });
    expect(result.failures).toMatchObject({
      "422 AMOUNT_INVALID": 1,
      "503 OVERLOADED": 1,
      "500 INTERNAL": 1,
      timeout: 1,
    });
    expect(Object.values(result.failures).reduce((sum, count) => sum + count)).toBe(5);
    expect([3, 4, 5, 6, 7].map((n) => [asked.get(n), kept[n]])).toEqual([
      [1, "refused"],
      [1, "refused"],
      [2, "created"],
      [2, "created"],
      [2, "created"],
    ]);
    expect(result).toMatchObject({ created: 198, refused: 2, unknown: 0 });
  });

  it("counts a wait for a connection from the moment at which a request was to be sent", async () => {
    const slow: Behaviour = async (_n, _time, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return created(reply);
    };
    // Two connections carry 100 a second; 200 are wanted in half a second, so the last waits for more than one.
    const { result } = await run(slow, { maxConnections: 2 });
    expect(result.latencyMs.max).toBeGreaterThan(700);
    expect(result.created).toBe(200);
  });

  it("ends early with the answer key of what was sent", async () => {
    const stop = new AbortController();
    const { result, kept } = await run(
      (n, _time, reply) => {
        if (n === 20) {
          stop.abort();
        }
        return created(reply);
      },
      { signal: stop.signal },
    );
    expect(result.sent).toBeGreaterThan(20);
    expect(result.sent).toBeLessThan(100);
    expect(kept).toHaveLength(result.sent);
  });

  it("takes effect nowhere when nothing listens", async () => {
    const target = new Target("http://127.0.0.1:9", "");
    const { kind, kept } = numbered(target);
    const { result } = await run((_n, _time, reply) => created(reply), { target, kinds: [kind] });
    expect(result).toMatchObject({ created: 0, refused: 200, failures: { unreachable: 200 } });
    expect(kept).toEqual(new Array(200).fill("refused"));
  });
});

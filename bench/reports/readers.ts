import { Agent, get } from "node:http";
import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "../../lib/errors.js";
import type { Checker, ReportAnswer } from "./check.js";

const TICK_MS = 2;
const TIMEOUT_MS = 5_000;
const CONNECTIONS = 64;

export interface Reading {
  readonly urls: readonly string[];
  readonly ratePerS: number;
  readonly checker: Checker;
  /** Of the latest switch that was answered. */
  readonly epoch: () => number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** ms, from the moment at which a request was to be sent. */
export interface ReadFigures {
  readonly sent: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Reads the report at a steady rate from several processes in turn, whether what was asked before is answered or not. */
export async function readOpenLoop({
  urls,
  ratePerS,
  checker,
  epoch,
  signal,
}: Reading): Promise<ReadFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const latency = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  const everyMs = 1_000 / ratePerS;
  const startMs = performance.now();
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  const read = (index: number) => {
    const dueMs = startMs + index * everyMs;
    const least = epoch();
    const done = ask(agent, `${urls[index % urls.length]}/api/reports/payments`)
      .then(
        (answer) => checker.look(answer, least),
        (error: unknown) => checker.fail(codeOf(error) ?? String(error)),
      )
      .finally(() => {
        latency.record(Math.max(1, Math.round((performance.now() - dueMs) * 1_000)));
        underWay.delete(done);
      });
    underWay.add(done);
  };
  while (!signal.aborted) {
    for (const due = (performance.now() - startMs) / everyMs; sent < due; sent++) {
      read(sent);
    }
    await sleep(TICK_MS);
  }
  await Promise.all(underWay);
  agent.destroy();
  const ms = (us: number) => Math.round(us / 100) / 10;
  return { sent, p50: ms(latency.percentile(50)), p99: ms(latency.percentile(99)), max: ms(latency.max) };
}

function ask(agent: Agent, url: string): Promise<ReportAnswer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.on("timeout", () => request.destroy(Object.assign(new Error("no answer"), { code: "TIMEOUT" })));
    request.on("error", reject);
  });
}

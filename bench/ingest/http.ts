import { Agent, request } from "node:http";
import { BenchError } from "../errors.js";
import { type Latencies, latenciesOf } from "../percentiles.js";
import { bodies, requestOf, take } from "./bodies.js";

export interface HttpFigures extends Latencies {
  /** Of a request. */
  readonly events: number;
  readonly eventsPerS: number;
  readonly atOnce: number;
}

export interface HttpLoad {
  readonly url: string;
  /** Events in a request; 1: each by itself. */
  readonly events: number;
  readonly requests: number;
  readonly atOnce: number;
  readonly seed: number;
}

/** Sends requests, so many at once. @throws BenchError BENCH_FAILED for an event not taken */
export async function measureHttp(load: HttpLoad): Promise<HttpFigures> {
  const { url, events, requests, atOnce, seed } = load;
  const source = bodies(seed);
  const single = events === 1;
  const sent = Array.from({ length: requests }, () => take(source, events).map(requestOf).join("\n"));
  const questions = sent.map((body) => ({
    ...{ method: "POST", url: `${url}/api/v1/events${single ? "" : "/batch"}` },
    content: { body, type: single ? "application/json" : "application/x-ndjson" },
  }));
  const startedMs = performance.now();
  const us = await timeAll(questions, atOnce, (answer) => {
    const taken = answer.split('"normalization_method"').length - 1;
    if (taken < events) {
      throw new BenchError(
        "BENCH_FAILED",
        `${taken} of ${events} events were taken: ${answer.slice(0, 300)}`,
      );
    }
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  return { events, atOnce, eventsPerS: Math.round((events * requests) / seconds), ...latenciesOf(us) };
}

/** Reads paths, so many at once. */
export async function measureReads(
  url: string,
  { paths, atOnce }: { readonly paths: readonly string[]; readonly atOnce: number },
): Promise<Latencies> {
  const questions = paths.map((path) => ({ method: "GET", url: `${url}${path}` }));
  return latenciesOf(await timeAll(questions, atOnce));
}

interface Question {
  readonly method: string;
  readonly url: string;
  readonly content?: { readonly body: string; readonly type: string };
}

/**
 * Asks so many at once, each after the one before it was answered, and shows each answer.
 *
 * @returns how long each took, in µs
 * @throws BenchError BENCH_FAILED unless all are answers of success; what `show` throws
 */
export async function timeAll(
  questions: readonly Question[],
  atOnce: number,
  show: (answer: string) => void = () => undefined,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const us: number[] = [];
  const left = questions.values();
  const worker = async () => {
    for (const question of left) {
      const beganMs = performance.now();
      const answer = await ask(agent, question);
      us.push((performance.now() - beganMs) * 1_000);
      show(answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    agent.destroy();
  }
  return us;
}

/** @returns the answer's text. @throws BenchError BENCH_FAILED unless it is one of success */
function ask(agent: Agent, { method, url, content }: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = content && {
      "content-type": content.type,
      "content-length": Buffer.byteLength(content.body),
    };
    const asked = request(url, { agent, method, ...(headers && { headers }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const ok = (response.statusCode ?? 500) < 300;
        const failure = new BenchError(
          "BENCH_FAILED",
          `${method} ${url}: ${response.statusCode} ${text.slice(0, 300)}`,
        );
        return ok ? resolve(text) : reject(failure);
      });
    });
    asked.on("error", reject);
    asked.end(content?.body);
  });
}

import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** A request, how long its caller waited from the moment at which it was to be sent, and what became of it. */
export interface Ended {
  readonly index: number;
  readonly kind: "POST" | "GET";
  /** By performance.now(). */
  readonly endedMs: number;
  readonly tookMs: number;
  /** Of the campaign that was made or read; undefined: it failed. */
  readonly campaignId: string | undefined;
  /** Status, or why there was none. */
  readonly failure: string | undefined;
}

export interface LoadOptions {
  readonly port: number;
  readonly ratePerS: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Who waits longer than that has given up. */
const TIMEOUT_MS = 10_000;
/** Below the 30 s after which HAProxy closes what is idle, so that nothing is written into a connection that is being closed. */
const IDLE_MS = 15_000;
const TICK_MS = 2;

/**
 * Open loop: each request at its time, whether those before it were answered or not. In turn a campaign is made, under a key, and the
 * newest that was made is read.
 */
export async function sendLoad({ port, ratePerS, seconds, signal }: LoadOptions): Promise<readonly Ended[]> {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 256 });
  const everyMs = 1_000 / ratePerS;
  const total = Math.round(ratePerS * seconds);
  const startMs = performance.now();
  const under: Promise<void>[] = [];
  const ended: Ended[] = [];
  let newest: string | undefined;
  const send = async (index: number) => {
    const dueMs = startMs + index * everyMs;
    const read = index % 2 === 1 ? newest : undefined;
    const kind = read === undefined ? "POST" : "GET";
    const { campaignId, failure } = await ask(agent, port, { index, read });
    const endedMs = performance.now();
    newest = campaignId ?? newest;
    ended.push({ index, kind, endedMs, tookMs: endedMs - dueMs, campaignId, failure });
  };
  for (let index = 0; index < total && !signal.aborted; ) {
    for (; index < total && performance.now() >= startMs + index * everyMs; index += 1) {
      under.push(send(index));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(under);
  agent.destroy();
  return ended;
}

/** Names tell which request made a campaign. */
export const nameOf = (index: number): string => `availability ${index}`;

function ask(
  agent: Agent,
  port: number,
  { index, read }: { readonly index: number; readonly read: string | undefined },
): Promise<Pick<Ended, "campaignId" | "failure">> {
  const post = { name: nameOf(index), budget: "10.00", currency: "USD" };
  const [method, path] = read === undefined ? ["POST", "/campaigns"] : ["GET", `/campaigns/${read}`];
  const headers =
    read === undefined ? { "content-type": "application/json", "idempotency-key": `k-${index}` } : {};
  const wanted = read === undefined ? 201 : 200;
  return new Promise((resolve) => {
    const failed = (failure: string) => resolve({ campaignId: undefined, failure });
    const sent = request({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (data: string) => (text += data));
      response.on("error", (error) => failed(error.message));
      response.on("end", () => {
        const { statusCode } = response;
        const id = statusCode === wanted ? idIn(text) : undefined;
        if (id === undefined || (read !== undefined && id !== read)) {
          failed(statusCode === wanted ? "another body" : String(statusCode));
        } else {
          resolve({ campaignId: id, failure: undefined });
        }
      });
    });
    sent.on("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
    sent.setTimeout(TIMEOUT_MS, () => sent.destroy(new Error("timeout")));
    sent.end(read === undefined ? JSON.stringify(post) : undefined);
  });
}

function idIn(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text) as { id?: unknown };
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

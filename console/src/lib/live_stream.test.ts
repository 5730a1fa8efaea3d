import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Liveness, LiveStream } from "./live_stream.js";

/** A connection that the test feeds and cuts. */
interface Line {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly cut: () => void;
}

let lines: Line[];
let answers: (status: number) => void;
let stream: LiveStream;
let heard: string[];
let states: Liveness[];

beforeEach(() => {
  vi.useFakeTimers();
  [lines, heard, states] = [[], [], []];
  let status = 200;
  answers = (next) => {
    status = next;
  };
  vi.stubGlobal("fetch", async (_url: string, init: RequestInit & { headers: Record<string, string> }) => {
    let body!: ReadableStreamDefaultController<Uint8Array>;
    const readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body = controller;
      },
    });
    const signal = init.signal as AbortSignal;
    signal.addEventListener("abort", () => body.error(signal.reason));
    const say = (text: string) => body.enqueue(new TextEncoder().encode(text));
    lines.push({ headers: init.headers, signal, say, cut: () => body.close() });
    return new Response(status === 200 ? readable : null, { status });
  });
  stream = new LiveStream({
    url: "/console/stream",
    onEvent: ({ name, id }) => heard.push(`${name} ${id}`),
    onState: (state, refusal) => {
      if (refusal !== undefined) {
        heard.push(`refused ${refusal.status}`);
      }
      if (states.at(-1) !== state) {
        states.push(state);
      }
    },
  });
});
afterEach(() => {
  stream.pause();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = () => vi.advanceTimersByTimeAsync(0);
const line = (at: number): Line => lines[at] ?? expect.unreachable(`no connection ${at}`);

it("comes back after a cut, with the id of the last event", async () => {
  stream.start();
  await settle();
  line(0).say("id: 41\nevent: overview\ndata: {}\n\n");
  await settle();
  line(0).cut();
  await vi.advanceTimersByTimeAsync(500);
  expect(line(1).headers["Last-Event-ID"]).toBe("41");
  line(1).say("id: 42\nevent: overview\ndata: {}\n\n");
  await settle();
  expect(heard).toEqual(["overview 41", "overview 42"]);
  expect(states).toEqual(["connecting", "live", "away", "live"]);
});

it("takes silence for a cut, a heartbeat for life", async () => {
  stream.start();
  await settle();
  for (let beat = 0; beat < 4; beat += 1) {
    line(0).say(beat % 2 ? ": beat\n" : "event: heartbeat\ndata: {}\n\n");
    await vi.advanceTimersByTimeAsync(30_000);
  }
  expect(lines).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5_000 + 500);
  expect(lines).toHaveLength(2);
  expect(states).toEqual(["connecting", "live", "away"]);
});

it("waits longer and longer for a server that refuses, and tells its status", async () => {
  answers(503);
  stream.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard[0]).toBe("refused 503");
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.length).toBeLessThan(16);
  expect(states).toEqual(["connecting", "away"]);
});

it("does not hear a server while it is paused", async () => {
  stream.start();
  await settle();
  line(0).say("id: 1\nevent: overview\ndata: {}\n\n");
  stream.pause();
  await vi.advanceTimersByTimeAsync(120_000);
  expect([lines.length, heard.length, line(0).signal.aborted]).toEqual([1, 0, true]);
  stream.start();
  stream.start();
  await settle();
  expect(lines).toHaveLength(2);
  expect(states).toEqual(["connecting", "paused", "connecting"]);
});

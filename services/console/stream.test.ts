import { setImmediate as turn } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { OverviewStream } from "./stream.js";

const never = { ending: new AbortController().signal, untilMs: Number.POSITIVE_INFINITY };

/** What a page has read by now. */
async function reading(page: ReturnType<OverviewStream["follow"]>): Promise<() => string> {
  let read = "";
  page.on("data", (chunk: Buffer) => {
    read += chunk;
  });
  await turn();
  return () => read;
}

it("a page gets the newest overview at once and each after it, written once for all", async () => {
  const stream = new OverviewStream(10);
  stream.tell(7, { n: 7 });
  const pages = [stream.follow(undefined, never), stream.follow(undefined, never)];
  const reads = await Promise.all(pages.map(reading));
  stream.tell(8, { n: 8 });
  await turn();
  for (const read of reads) {
    expect(read()).toBe(
      'retry: 2000\n\nid: 7\nevent: overview\ndata: {"n":7}\n\nid: 8\nevent: overview\ndata: {"n":8}\n\n',
    );
  }
});

it.each([
  [undefined, false],
  [1_000, false],
  [801, false],
  [800, true],
  [1_001, true],
])("after overview %s it is told to ask anew: %s", async (lastId, resync) => {
  const stream = new OverviewStream(10);
  stream.tell(1_000, {});
  const read = await reading(stream.follow(lastId, never));
  expect(read().includes("event: resync")).toBe(resync);
  expect(read()).toContain("id: 1000\n");
});

it("a page that does not read has one overview waiting, the newest", async () => {
  const stream = new OverviewStream(10);
  stream.tell(1, { n: 1 });
  const page = stream.follow(undefined, never);
  for (let n = 2; n <= 1_000; n++) {
    stream.tell(n, { n });
  }
  expect(page.readableLength).toBe(0);
  const read = await reading(page);
  expect(read()).toBe('retry: 2000\n\nid: 1000\nevent: overview\ndata: {"n":1000}\n\n');
});

it("a page that reads slowly loses neither the word to ask anew nor an overview to a heartbeat", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "performance"] });
  try {
    const stream = new OverviewStream(10);
    await stream.start();
    stream.tell(1_000, {});
    const page = stream.follow(1, never);
    stream.tell(1_001, {});
    vi.advanceTimersByTime(60_000);
    const read = await reading(page);
    expect(read().match(/event: \w+/g)).toEqual(["event: resync", "event: overview"]);
    vi.advanceTimersByTime(20_000);
    await turn();
    expect(read()).toContain("event: heartbeat");
    await stream.stop();
  } finally {
    vi.useRealTimers();
  }
});

it("pages that have gone are forgotten, and the process's end ends all", async () => {
  const stream = new OverviewStream(2);
  const ending = new AbortController();
  const own = { ...never, ending: ending.signal };
  const [gone, stays] = [stream.follow(undefined, own), stream.follow(undefined, own)];
  expect(() => stream.follow(undefined, own)).toThrow("Too many pages");
  gone.destroy();
  await turn();
  expect(stream.pages).toBe(1);
  const ended = new Promise((resolve) => stays.on("end", resolve));
  await reading(stays);
  ending.abort();
  await ended;
  await turn();
  expect(stream.pages).toBe(0);
  const late = stream.follow(undefined, own);
  const lateEnded = new Promise((resolve) => late.on("end", resolve));
  await reading(late);
  await lateEnded;
});

it("whose session is over is told nothing more", async () => {
  const stream = new OverviewStream(2);
  const page = stream.follow(undefined, { ...never, untilMs: Date.now() });
  const ended = new Promise((resolve) => page.on("end", resolve));
  const read = await reading(page);
  stream.tell(1, {});
  await ended;
  expect(read()).not.toContain("overview");
});

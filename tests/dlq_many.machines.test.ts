import { afterEach, beforeEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth } from "./harness/broker.js";
import { DeadLetterLab, numbered } from "./harness/dead_letters.js";
import { payments } from "./harness/process.js";

let lab: DeadLetterLab;
beforeEach(async () => {
  lab = await DeadLetterLab.create();
});
afterEach(() => lab.close());

const { work, deadLetter } = ETL_QUEUES;

test("ten thousand letters are listed and replayed in bounded time and memory", async () => {
  await lab.plant(numbered(10_000).map((letter) => ({ ...letter, body: Buffer.alloc(1_000, "x") })));
  const figures: Record<string, string> = {};
  const peakRss = `import("node:fs").then(({readFileSync}) => process.on("exit", () =>
    process.stderr.write(/VmHWM:.*/.exec(readFileSync("/proc/self/status", "utf8"))[0])))`;
  const environment = {
    ...lab.settings,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(peakRss)}`,
  };
  for (const args of [["show", "m009999"], ["list"], ["list", "--json"], ["replay", "--all"]]) {
    const started = performance.now();
    const { code, stderr } = await payments(environment, "dlq", ...args);
    const ms = Math.round(performance.now() - started);
    const peakMb = Math.round(Number(/VmHWM:\s*(\d+) kB/.exec(stderr)?.[1]) / 1_024);
    figures[args.join(" ")] = `${ms} ms, at most ${peakMb} MB`;
    expect(code, args.join(" ")).toBe(0);
    expect(ms, args.join(" ")).toBeLessThan(30_000);
    // 80 MB without a single letter; up to 64 MB of dead buffers before the engine cares to collect them.
    expect(peakMb, args.join(" ")).toBeLessThan(200);
  }
  expect(await depth(lab.settings, work)).toBe(10_000);
  expect(await depth(lab.settings, deadLetter)).toBe(0);
  expect(await lab.recorded()).toBe(10_000);
  console.info("10,000 dead letters of 1 kB:", figures);
});

import { setTimeout as sleep } from "node:timers/promises";
import { formatTable } from "../../lib/cli/table.js";
import { Fleet } from "../payments/fleet.js";
import { type ProcessorTime, processorClock } from "../payments/processor.js";
import { spreadOf } from "../ratios.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";
import { OpenPages } from "./open_pages.js";

export interface ConsoleOptions {
  /** Open at a time. */
  readonly pages: number;
  /** How long each figure is measured. */
  readonly seconds: number;
  readonly runs: number;
}

/** The process settles after pages came or went. */
const SETTLE_MS = 3_000;
const US_PER_S = 1_000_000;

interface Figures {
  readonly pages: number;
  /** Of one core. */
  readonly share: Readonly<Record<keyof ProcessorTime, number>>;
  /** Times a second that the servers were asked, by the ids of the stream; without a page nobody is told. */
  readonly looks: number;
  /** Sent to all pages together. */
  readonly bytesPerS: number;
}

/** One process with all services and nothing to do, and pages of the console that follow it: none, one and many in turn. */
export async function benchConsole(stack: Stack, report: Report, options: ConsoleOptions): Promise<void> {
  await stack.withDatabase(async () => {
    await stack.emptyVhost();
    await Fleet.with(stack, { processes: [[]], env: envOf(options) }, async (fleet) => {
      const clock = await processorClock(stack, () => fleet.pids);
      const found: Figures[] = [];
      for (let round = 1; round <= options.runs; round++) {
        for (const pages of [0, 1, options.pages]) {
          report.say(`round ${round} of ${options.runs}: ${pages} pages for ${options.seconds} s`);
          found.push(await measure({ url: fleet.urls[0] ?? "", pages, seconds: options.seconds, clock }));
          fleet.mustLive();
        }
      }
      await report.save({ options, figures: found });
      report.print(render(options, found));
    });
  });
}

/** Anybody may look, and as many as are asked for. */
const envOf = ({ pages }: ConsoleOptions) => ({
  ...{ HTTP_API_KEYS: "", CONSOLE_PASSWORD: "", CONSOLE_VIEWER_PASSWORD: "" },
  ...{ CONSOLE_STREAMS: String(pages), HTTP_MAX_IN_FLIGHT: String(pages + 1_000) },
});

interface Measured {
  readonly url: string;
  readonly pages: number;
  readonly seconds: number;
  readonly clock: () => ProcessorTime;
}

async function measure({ url, pages, seconds, clock }: Measured): Promise<Figures> {
  const open = await OpenPages.open(`${url}/console/stream`, pages);
  try {
    await sleep(SETTLE_MS);
    const [before, told, startMs] = [clock(), open.counts(), performance.now()];
    await sleep(seconds * 1_000);
    const [after, toldNow] = [clock(), open.counts()];
    const tookS = (performance.now() - startMs) / 1_000;
    const share = (consumer: keyof ProcessorTime) => (after[consumer] - before[consumer]) / US_PER_S / tookS;
    return {
      pages,
      share: { node: share("node"), rabbitmq: share("rabbitmq"), postgres: share("postgres") },
      looks: (toldNow.lastId - told.lastId) / tookS,
      bytesPerS: (toldNow.bytes - told.bytes) / tookS,
    };
  } finally {
    open.close();
  }
}

const LIMIT = 0.05;

function render({ pages: most }: ConsoleOptions, found: readonly Figures[]): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const head = ["pages", "% of a core: node", "rabbitmq", "postgres", "looks a second", "MB/s"];
  const rows = found.map(({ pages, share, looks, bytesPerS }) => [
    pages,
    ...[percent(share.node), percent(share.rabbitmq), percent(share.postgres)],
    pages === 0 ? "-" : looks.toFixed(2),
    (bytesPerS / 1_000_000).toFixed(2),
  ]);
  const median = (pages: number, of: (figures: Figures) => number) =>
    spreadOf(found.filter((each) => each.pages === pages).map(of)).median;
  const cost = median(most, ({ share }) => share.node) - median(0, ({ share }) => share.node);
  const looks = [1, most].map((pages) => median(pages, (each) => each.looks));
  const onePoller = (looks[1] ?? 0) <= 1.1 * (looks[0] ?? 0);
  return `${formatTable(head, rows)}\n\n${formatTable(
    ["goal", "found", "target", ""],
    [
      [
        `${most} pages more than none, % of a core`,
        percent(cost),
        "< 5",
        cost < LIMIT ? "reached" : "MISSED",
      ],
      [
        `looks a second with 1 and with ${most}`,
        looks.map((each) => each.toFixed(2)).join(", "),
        "alike",
        onePoller ? "reached" : "MISSED",
      ],
    ],
  )}`;
}

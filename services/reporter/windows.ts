import type { Publisher } from "../../lib/broker/publisher.js";
import { codeOf } from "../../lib/errors.js";
import { Gatherer } from "../../lib/gatherer.js";
import type { Logger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { pause } from "../../lib/timing.js";
import { type Report, reportMessage } from "../contracts/report.js";
import { expectedOf, tickOf, turnAt } from "./domain/schedule.js";
import type { ReportWindow, Tick } from "./domain/window.js";
import { reportOf } from "./report.js";
import { type Beat, enterTicks, markSent, takeUnsent } from "./store/tick.js";
import { openWindows, renewProcess, takeOrphans } from "./store/window.js";

/** A process that has said nothing for so long is dead to others of its service. */
const LEASE_MS = 5_000;
const RENEW_EVERY_MS = 1_000;
/** What the broker has not confirmed by then is sent again; the publisher itself gives up after 10 s. */
const UNSENT_AFTER_S = 15;
const UNSENT_BATCH = 500;
/** An audit that failed is tried again; meanwhile the tick may go by. */
const AGAIN_MS = 200;
/** 10,000 windows have 1,000 ticks a second: some ten share a statement. */
const GROUP = { waitMs: 10, max: 500, atOnce: 1 };

export interface WindowsOptions {
  readonly pool: Pool;
  readonly publisher: Pick<Publisher, "publishAll">;
  readonly logger: Logger;
  readonly service: string;
  /** Names this process. */
  readonly process: string;
}

/** A window that this process keeps. */
interface Kept {
  readonly window: ReportWindow;
  /** When it was opened, by the monotonic clock of this process. */
  readonly openedMs: number;
  /** All ticks up to this one are audited. */
  done: number;
}

/**
 * Keeps windows: each tick is audited, published and marked, in this order. A tick that nobody was there for is audited as what it is,
 * and never made up for. Windows of a process of the same service that died are gone on with.
 */
export class Windows implements Part {
  readonly name = "windows";
  readonly #options: WindowsOptions;
  readonly #stopping = new AbortController();
  readonly #clocks = new Map<string, NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #openings: Gatherer<ReportWindow, undefined>;
  readonly #audits: Gatherer<Beat, ReadonlySet<number>>;
  readonly #reports: Gatherer<Report, undefined>;
  #keeping: Promise<void> | undefined;

  constructor(options: WindowsOptions) {
    this.#options = options;
    const { pool, process } = options;
    this.#openings = new Gatherer({
      ...GROUP,
      work: async (windows) => {
        await openWindows(pool, windows, process);
        return windows.map(() => undefined);
      },
    });
    this.#audits = new Gatherer({ ...GROUP, work: (beats) => enterTicks(pool, beats) });
    this.#reports = new Gatherer({
      ...GROUP,
      atOnce: 4, // one may wait for its confirms
      work: (reports) => this.#tell(reports),
    });
  }

  async start(): Promise<void> {
    this.#keeping ??= this.#keepOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const clock of this.#clocks.values()) {
      clearTimeout(clock);
    }
    await this.#keeping;
    await Promise.all(this.#underWay);
  }

  /** Opens a window, and declares it: one that reports nothing is known, too. */
  async open(window: ReportWindow): Promise<void> {
    const openedMs = performance.now();
    await this.#openings.add(window);
    const { windowUuid, windowFrom: at } = window;
    this.#send(reportOf(window, { windowUuid, seq: 0, status: "ok", outcome: "sending", at }, 0));
    this.#arm({ window, openedMs, done: 0 });
  }

  #arm(kept: Kept, waitMs = 0): void {
    const { window, openedMs, done } = kept;
    if (this.#stopping.signal.aborted || done >= expectedOf(window)) {
      this.#clocks.delete(window.windowUuid);
      return;
    }
    const dueMs = openedMs + (done + 1) * window.intervalMs - performance.now();
    const clock = setTimeout(() => this.#track(this.#turn(kept)), Math.max(waitMs, Math.ceil(dueMs)));
    this.#clocks.set(window.windowUuid, clock);
  }

  async #turn(kept: Kept): Promise<void> {
    const { window, openedMs } = kept;
    const elapsedMs = performance.now() - openedMs;
    const turn = turnAt(elapsedMs, kept.done, window);
    if (turn === undefined) {
      return this.#arm(kept);
    }
    const ticks = turn.missed.map((seq) => missedTick(window, seq, "stalled"));
    const now = turn.now === undefined ? undefined : tickNow(window, turn.now);
    try {
      await this.#audit(window, now === undefined ? ticks : [...ticks, now], elapsedMs);
      kept.done = turn.now ?? expectedOf(window);
      this.#arm(kept);
    } catch (error) {
      this.#options.logger.warn(
        { code: codeOf(error), windowUuid: window.windowUuid },
        "a tick was not audited",
      );
      this.#arm(kept, AGAIN_MS);
    }
  }

  /** Enters ticks, and sends those of them that are to be sent and were nobody else's. */
  async #audit(window: ReportWindow, ticks: readonly Tick[], elapsedMs: number): Promise<void> {
    const last = ticks.some(({ seq }) => seq === expectedOf(window));
    const entered = await this.#audits.add({ windowUuid: window.windowUuid, ticks, last });
    for (const tick of ticks.filter(({ seq, outcome }) => outcome === "sending" && entered.has(seq))) {
      this.#send(reportOf(window, tick, elapsedMs));
    }
  }

  /** What fails is sent again later. */
  #send(report: Report): void {
    const sent = this.#reports.add(report).catch((error: unknown) => {
      this.#options.logger.warn(
        { code: codeOf(error), windowUuid: report.window_uuid },
        "a report waits to be sent",
      );
    });
    this.#track(sent);
  }

  async #tell(reports: readonly Report[]): Promise<readonly undefined[]> {
    const { pool, publisher } = this.#options;
    await publisher.publishAll(reports.map((report) => reportMessage(report)));
    await markSent(
      pool,
      reports.map(({ window_uuid: windowUuid, seq }) => ({ windowUuid, seq })),
    );
    return reports.map(() => undefined);
  }

  async #keepOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#keep().catch((error: unknown) => {
        this.#options.logger.debug({ code: codeOf(error) }, "windows were not looked after");
      });
      await pause(RENEW_EVERY_MS, signal);
    }
  }

  async #keep(): Promise<void> {
    const { pool, service, process, logger } = this.#options;
    await renewProcess(pool, process, LEASE_MS);
    const orphans = await takeOrphans(pool, service, process);
    for (const { elapsedMs, audited, ...window } of orphans) {
      await this.#adopt(window, elapsedMs, new Set(audited));
    }
    if (orphans.length > 0) {
      logger.warn({ windows: orphans.length }, "windows of a process that died are gone on with");
    }
    for (const { window, tick, elapsedMs } of await takeUnsent(pool, {
      service,
      afterS: UNSENT_AFTER_S,
      limit: UNSENT_BATCH,
    })) {
      this.#send(reportOf(window, tick, elapsedMs));
    }
  }

  /** Of ticks that went by while its process was dead nobody knows anything. */
  async #adopt(window: ReportWindow, elapsedMs: number, audited: ReadonlySet<number>): Promise<void> {
    const passed = Math.min(Math.floor(elapsedMs / window.intervalMs), expectedOf(window));
    const owed = Array.from({ length: passed }, (_, i) => i + 1).filter((seq) => !audited.has(seq));
    const ticks = owed.map((seq) => missedTick(window, seq, "unknown"));
    const last = passed === expectedOf(window);
    await this.#audits.add({ windowUuid: window.windowUuid, ticks, last });
    this.#arm({ window, openedMs: performance.now() - elapsedMs, done: passed });
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

function tickNow(window: ReportWindow, seq: number): Tick {
  const { status, omitted } = tickOf(window, seq);
  return {
    windowUuid: window.windowUuid,
    seq,
    status,
    outcome: omitted ? "omitted" : "sending",
    at: new Date(),
  };
}

const WHY = { stalled: "error: stalled, it came too late", unknown: "error: unknown, its process was dead" };

const missedTick = ({ windowUuid }: ReportWindow, seq: number, outcome: keyof typeof WHY): Tick => ({
  windowUuid,
  seq,
  status: WHY[outcome],
  outcome,
  at: new Date(),
});

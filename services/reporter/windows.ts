import type { Publisher } from "../../lib/broker/publisher.js";
import { codeOf } from "../../lib/errors.js";
import { Gatherer } from "../../lib/gatherer.js";
import type { Logger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import { pause } from "../../lib/timing.js";
import { type Report, reportMessage } from "../contracts/report.js";
import { expectedOf, tickOf, turnAt } from "./domain/schedule.js";
import { type ReportWindow, type Tick, WHY } from "./domain/window.js";
import { reportOf } from "./report.js";
import { type Beat, enterTicks, markSent, takeUnsent } from "./store/tick.js";
import { type Orphan, openWindows, renewProcess, takeOrphans } from "./store/window.js";

/** A process that has said nothing for so long is dead to others of its service. */
const LEASE_MS = 5_000;
const RENEW_EVERY_MS = 1_000;
/** What the broker has not confirmed by then is sent again; the publisher itself gives up after 10 s. */
const UNSENT_AFTER_S = 15;
const UNSENT_BATCH = 500;
/** After an outage of the broker all of it goes at once, before the monitor's next marker: see MONITOR_SETTLE_MS. */
const RECOVERY_BATCH = 5_000;
const ORPHANS_BATCH = 1_000;
/** A statement of ours ends within 5 s: by then it is known whether a window was opened. */
const UNSURE_MS = 60_000;
/** An audit that failed is tried again; meanwhile the tick may go by. */
const AGAIN_MS = 200;
/** 10,000 windows have 1,000 ticks a second: some ten share a statement. */
const GROUP = { waitMs: 10, max: 500, atOnce: 1 };

export interface WindowsOptions {
  readonly pool: Pool;
  readonly publisher: Pick<Publisher, "publishAll" | "isWritable">;
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
  /** All ticks up to this one are audited, but for those owed. */
  done: number;
  /** Ticks that went by while their process was dead. */
  owed: readonly number[];
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
  readonly #audits: Gatherer<Beat, readonly Tick[]>;
  readonly #reports: Gatherer<Report, undefined>;
  /** Windows whose opening was not answered, and since when. */
  readonly #unsure = new Map<string, number>();
  /** The broker did not take something: it is sent again as soon as that is back. */
  #failed = false;
  #keeping: Promise<unknown> | undefined;

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
    const { pool, process } = this.#options;
    // Apart: a lease must not end because there is much to do.
    this.#keeping ??= Promise.all([
      this.#every(() => renewProcess(pool, process, LEASE_MS)),
      this.#every(() => this.#keep()),
    ]);
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
    const { windowUuid, windowFrom: at } = window;
    const openedMs = performance.now();
    await this.#openings.add(window).catch((error: unknown) => {
      this.#unsure.set(windowUuid, performance.now());
      throw error;
    });
    this.#send(reportOf(window, { windowUuid, seq: 0, status: "ok", outcome: "sending", at }, 0));
    this.#arm({ window, openedMs, done: 0, owed: [] });
  }

  #arm(kept: Kept, waitMs = 0): void {
    const { window, openedMs, done, owed } = kept;
    if (this.#stopping.signal.aborted || (done >= expectedOf(window) && owed.length === 0)) {
      this.#clocks.delete(window.windowUuid);
      return;
    }
    const dueMs = owed.length > 0 ? 0 : openedMs + (done + 1) * window.intervalMs - performance.now();
    const clock = setTimeout(() => this.#track(this.#turn(kept)), Math.max(waitMs, Math.ceil(dueMs)));
    this.#clocks.set(window.windowUuid, clock);
  }

  async #turn(kept: Kept): Promise<void> {
    const { window, openedMs, owed } = kept;
    const elapsedMs = performance.now() - openedMs;
    const turn = turnAt(elapsedMs, kept.done, window) ?? { missed: [], now: undefined, done: kept.done };
    const ticks = [
      ...owed.map((seq) => missedTick(window, seq, "unknown")),
      ...turn.missed.map((seq) => missedTick(window, seq, "stalled")),
      ...(turn.now === undefined ? [] : [tickNow(window, turn.now)]),
    ];
    try {
      await this.#audit(window, ticks, turn.done === expectedOf(window), elapsedMs);
      kept.done = turn.done;
      kept.owed = [];
      this.#arm(kept);
    } catch (error) {
      this.#options.logger.warn(
        { code: codeOf(error), windowUuid: window.windowUuid },
        "a tick was not audited",
      );
      this.#arm(kept, AGAIN_MS);
    }
  }

  /** Enters ticks, and sends what is to be sent. */
  async #audit(
    window: ReportWindow,
    ticks: readonly Tick[],
    last: boolean,
    elapsedMs: number,
  ): Promise<void> {
    if (ticks.length === 0 && !last) {
      return;
    }
    for (const tick of await this.#audits.add({ windowUuid: window.windowUuid, ticks, last })) {
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
    await publisher.publishAll(reports.map((report) => reportMessage(report))).catch((error: unknown) => {
      this.#failed = true;
      throw error;
    });
    await markSent(
      pool,
      reports.map(({ window_uuid: windowUuid, seq }) => ({ windowUuid, seq })),
    );
    return reports.map(() => undefined);
  }

  async #every(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        this.#options.logger.debug({ code: codeOf(error) }, "windows were not looked after");
      });
      await pause(RENEW_EVERY_MS, signal);
    }
  }

  async #keep(): Promise<void> {
    await this.#takeOrphans();
    await this.#resend();
  }

  async #takeOrphans(): Promise<void> {
    const { pool, service, process, logger } = this.#options;
    const askedMs = performance.now();
    const unsure = [...this.#unsure.keys()];
    const orphans = await takeOrphans(pool, { service, process, unsure, limit: ORPHANS_BATCH });
    for (const orphan of orphans) {
      this.#adopt(orphan, askedMs);
    }
    for (const [windowUuid, sinceMs] of this.#unsure) {
      if (sinceMs < askedMs - UNSURE_MS) {
        this.#unsure.delete(windowUuid);
      }
    }
    if (orphans.length > 0) {
      logger.warn({ windows: orphans.length }, "windows that nobody looked after are gone on with");
    }
  }

  /** While the broker is away, what is audited waits in the database. */
  async #resend(): Promise<void> {
    const { pool, service, publisher } = this.#options;
    if (!publisher.isWritable) {
      return;
    }
    const recovers = this.#failed;
    this.#failed = false;
    const [afterS, limit] = recovers ? [0, RECOVERY_BATCH] : [UNSENT_AFTER_S, UNSENT_BATCH];
    const unsent = await takeUnsent(pool, { service, afterS, limit }).catch((error: unknown) => {
      this.#failed = recovers;
      throw error;
    });
    this.#failed ||= recovers && unsent.length === limit;
    for (const { window, tick, elapsedMs } of unsent) {
      this.#send(reportOf(window, tick, elapsedMs));
    }
  }

  /** Of ticks that went by while its process was dead nobody knows anything. @param askedMs what its row says is of this time */
  #adopt({ elapsedMs, audited, ...window }: Orphan, askedMs: number): void {
    this.#unsure.delete(window.windowUuid);
    if (this.#clocks.has(window.windowUuid)) {
      return;
    }
    const done = Math.min(Math.floor(elapsedMs / window.intervalMs), expectedOf(window));
    const owed = Array.from({ length: done }, (_, i) => i + 1).filter((seq) => !audited.includes(seq));
    this.#track(this.#turn({ window, openedMs: askedMs - elapsedMs, done, owed }));
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

const missedTick = ({ windowUuid }: ReportWindow, seq: number, outcome: keyof typeof WHY): Tick => ({
  windowUuid,
  seq,
  status: WHY[outcome],
  outcome,
  at: new Date(),
});

import { Publisher } from "../lib/broker/publisher.js";
import { newId } from "../lib/domain/ids.js";
import { codeOf } from "../lib/errors.js";
import type { Logger } from "../lib/observability/log.js";
import type { Part } from "../lib/runtime/lifecycle.js";
import type { Settings } from "../lib/settings/base.js";
import { pause, within } from "../lib/timing.js";
import { type Report, reportMessage } from "../services/contracts/report.js";
import { REPORTS } from "../services/monitor_queue/queues.js";
import { expectedOf, type Schedule, turnAt } from "../services/reporter/domain/schedule.js";
import type { ReportWindow } from "../services/reporter/domain/window.js";
import { reportOf } from "../services/reporter/report.js";

/** A minute of six reports: who is frozen for 10 s shows, within a minute and a half. */
const SCHEDULE: Schedule = { intervalMs: 10_000, durationMs: 60_000 };
const AGAIN_MS = 500;
/** Nobody who is told to stop waits longer to say so. */
const STOP_MS = 2_000;

export interface SelfWatchOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  /** What runs, in names of services: `self-payments-worker`. */
  readonly name: string;
  /** Shorter ones are for tests. */
  readonly schedule?: Schedule;
}

/** Has the monitor watch this process: it reports in windows one after the other, for as long as it lives. Switched on by SELF_WATCH. */
export class SelfWatch implements Part {
  readonly name = "self-watch";
  readonly #options: SelfWatchOptions;
  readonly #schedule: Schedule;
  readonly #publisher: Publisher;
  readonly #stopping = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #watching: Promise<void> | undefined;

  constructor(options: SelfWatchOptions) {
    const { settings, logger, name, schedule = SCHEDULE } = options;
    this.#options = options;
    this.#schedule = schedule;
    this.#publisher = new Publisher({
      address: settings,
      name: `${name} (self-watch)`,
      logger,
      connectPolicy: "forever",
      families: [REPORTS],
    });
  }

  async start(): Promise<void> {
    this.#watching ??= this.#watchOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    await within(STOP_MS, Promise.all(this.#sending), () => new Error("no confirm")).catch(() => undefined);
    await this.#publisher.close();
  }

  async #watchOn(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#watchOnce();
    }
  }

  /** A window from its declaration to its end, or to ours: then its last report says that it is the last. */
  async #watchOnce(): Promise<void> {
    const { signal } = this.#stopping;
    const openedMs = performance.now();
    const rates = { seed: 0, errorRate: 0, omissionRate: 0 };
    const about = { windowUuid: newId(), service: this.#options.name, windowFrom: new Date() };
    const window: ReportWindow = { ...about, ...rates, ...this.#schedule };
    const send = (seq: number, last = false) => {
      const tick = {
        windowUuid: window.windowUuid,
        seq,
        status: "ok",
        outcome: "sending",
        at: new Date(),
      } as const;
      const report = reportOf(window, tick, performance.now() - openedMs);
      this.#send(last ? { ...report, last } : report);
    };
    send(0);
    for (let done = 0; done < expectedOf(window); ) {
      await pause(openedMs + (done + 1) * window.intervalMs - performance.now(), signal);
      if (signal.aborted) {
        return send(done, true);
      }
      const turn = turnAt(performance.now() - openedMs, done, window);
      if (turn?.now !== undefined) {
        send(turn.now);
      }
      done = turn?.done ?? done;
    }
  }

  /** Until the broker has it, or we end. */
  #send(report: Report): void {
    const { signal } = this.#stopping;
    const sent = (async () => {
      do {
        try {
          return await this.#publisher.publishAll([reportMessage(report)]);
        } catch (error) {
          this.#options.logger.debug({ code: codeOf(error) }, "a report of this process waits to be sent");
          await pause(AGAIN_MS, signal);
        }
      } while (!signal.aborted);
    })().finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }
}

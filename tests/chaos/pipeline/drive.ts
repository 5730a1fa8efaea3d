import { setTimeout as sleep } from "node:timers/promises";
import type { AllSettings } from "../../../app/settings.js";
import { createRun } from "../../../etl/ledger/new_run.js";
import type { Run } from "../../../etl/ledger/run.js";
import { formatMessage } from "../../../etl/message.js";
import { ETL_QUEUES } from "../../../etl/queues.js";
import { missingMessages } from "../../../etl/runs/resume.js";
import { Publisher } from "../../../lib/broker/publisher.js";
import { silentLogger } from "../../../lib/observability/log.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Load } from "./load.js";

/** Nothing in the ledger has moved for so long: longer than the longest rung of the retry ladder and the broker's heartbeats. */
const STALLED_MS = 150_000;

/** Enters runs, sends their messages, and watches the ledger: what an operator does, straight on the servers. */
export class Driver {
  readonly #pool: Pool;
  readonly #publisher: Publisher;

  private constructor(pool: Pool, publisher: Publisher) {
    this.#pool = pool;
    this.#publisher = publisher;
  }

  static async open(settings: AllSettings, pool: Pool): Promise<Driver> {
    const publisher = new Publisher({
      address: settings,
      name: "chaos",
      logger: silentLogger,
      connectPolicy: "forever",
      families: [ETL_QUEUES],
    });
    await publisher.up();
    return new Driver(pool, publisher);
  }

  async close(): Promise<void> {
    await this.#publisher.close();
  }

  /** All runs before any fault, in the order of the load: their ids and their blocks of transaction ids follow from it. */
  async enter(load: Load): Promise<Run[]> {
    const runs: Run[] = [];
    for (const { spec, windowChunks } of load.runs) {
      runs.push(await createRun(this.#pool, spec, windowChunks));
    }
    return runs;
  }

  /** Sends each run's first message and each poison in its time, again and again until the broker has it. */
  async sendInTime(load: Load, runs: readonly Run[]): Promise<void> {
    const plans = runs.map((run, i) => ({
      atMs: load.runs[i]?.atMs ?? 0,
      body: formatMessage({ kind: "plan", run: run.runId }),
    }));
    const started = Date.now();
    for (const { atMs, body } of [...plans, ...load.poison].sort((a, b) => a.atMs - b.atMs)) {
      await sleep(Math.max(0, started + atMs - Date.now()));
      await this.#send(body);
    }
  }

  /** @returns the runs that are still unfinished when nothing has moved for too long; none is what is hoped for. */
  async drained(): Promise<string[]> {
    let moved = Date.now();
    let before = "";
    for (;;) {
      const now = await this.#progress().catch(() => undefined);
      if (now?.unfinished.length === 0) {
        return [];
      }
      if (now !== undefined && now.mark !== before) {
        before = now.mark;
        moved = Date.now();
      }
      if (Date.now() - moved > STALLED_MS) {
        return now?.unfinished ?? ["(the ledger cannot be read)"];
      }
      await sleep(200);
    }
  }

  /** What `payments resume` does. */
  async resume(runIds: readonly string[]): Promise<number> {
    let sent = 0;
    for (const runId of runIds) {
      for (const message of await missingMessages(this.#pool, runId)) {
        await this.#send(formatMessage(message));
        sent += 1;
      }
    }
    return sent;
  }

  async #send(body: string): Promise<void> {
    for (;;) {
      try {
        return await this.#publisher.publish(ETL_QUEUES.work, body);
      } catch {
        await sleep(200); // The broker is down; it may have taken it all the same, which does no harm.
      }
    }
  }

  async #progress(): Promise<{ unfinished: string[]; mark: string }> {
    const { rows } = await this.#pool.query<{ unfinished: string[]; mark: string }>(
      `SELECT coalesce((SELECT array_agg(run_id ORDER BY first_txn_id) FROM etl.run WHERE state <> 'done'), '{}') AS unfinished,
              concat_ws(' ', (SELECT count(*) FROM etl.run WHERE state <> 'planned'), (SELECT count(*) FROM etl.chunk),
                             (SELECT count(*) FROM etl.chunk WHERE state = 'cleaned'),
                             (SELECT count(*) FROM etl.run_month WHERE state = 'done')) AS mark`,
    );
    return rows[0] ?? { unfinished: [], mark: "" };
  }
}

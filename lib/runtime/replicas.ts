import { messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { type Instruments, seriesOnScrape } from "../observability/registry.js";
import { placesOf, placeText } from "../places.js";
import { type Lag, lagOf, type Mark } from "../postgres/lag.js";
import type { replicaMetrics } from "../postgres/observe.js";
import { one } from "../postgres/one.js";
import { createPool, type Pool } from "../postgres/pool.js";
import type { Place } from "../probe.js";
import { verdictOf } from "../retry.js";
import type { Settings } from "../settings/base.js";
import { pause, within } from "../timing.js";
import type { Part } from "./lifecycle.js";

const LOOK_EVERY_MS = 1_000;
/** A replica that takes longer to say where it is is not read before it does; a read that takes longer is the primary's. */
export const ANSWER_MS = 2_000;
/** Ten minutes: who is later is so much late at least. */
const MARKS = 600;

const WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS lsn";
const REPLAYED = "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::float8 AS lsn";

/** A replica as it is shown. */
export interface ReplicaState {
  readonly replica: string;
  readonly lag_s: number | null;
  readonly used: boolean;
}

export interface Replica {
  readonly place: Place;
  readonly name: string;
  readonly pool: Pool;
  /** undefined: it does not answer, or nobody has asked yet. */
  lag: Lag | undefined;
  used: boolean;
}

interface ReplicasOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Instruments<typeof replicaMetrics>;
}

/** Servers of POSTGRES_READ_HOSTS, looked at each second: who of them is no further behind than POSTGRES_READ_MAX_LAG_S. One of it in a process. */
export class Replicas implements Part {
  readonly name = "read replicas";
  readonly #options: ReplicasOptions;
  readonly #replicas: readonly Replica[];
  readonly #primary: Pool | undefined;
  readonly #stopping = new AbortController();
  readonly #marks: Mark[] = [];
  #turn = 0;
  #wanted = false;

  constructor(options: ReplicasOptions) {
    const { settings, metrics } = options;
    const { POSTGRES_READ_HOSTS: hosts, POSTGRES_PORT: port } = settings;
    this.#options = options;
    const look = {
      role: "app",
      max: 1,
      applicationName: "payments replicas",
      queryTimeoutMs: ANSWER_MS,
    } as const;
    const places = hosts === "" ? [] : placesOf({ host: hosts, port });
    this.#replicas = places.map((place) => ({
      place,
      name: placeText(place),
      pool: createPool(at(settings, place), look),
      lag: undefined,
      used: false,
    }));
    this.#primary = places.length === 0 ? undefined : createPool(settings, look);
    seriesOnScrape(metrics.replicaLag, () =>
      this.#shown.flatMap(({ name: replica, lag }) =>
        lag === undefined ? [] : [[{ replica }, lag.s] as const],
      ),
    );
    seriesOnScrape(metrics.replicaUsed, () =>
      this.#shown.map(({ name: replica, used }) => [{ replica }, Number(used)] as const),
    );
  }

  async start(): Promise<void> {
    if (this.#wanted && this.#replicas.length > 0) {
      void this.#lookOn();
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#primary, ...this.#replicas.map(({ pool }) => pool)].map((pool) => pool?.end()));
  }

  /** None where nothing is read by them. */
  get #shown(): readonly Replica[] {
    return this.#wanted ? this.#replicas : [];
  }

  /** For those who ask how the process is. */
  get states(): readonly ReplicaState[] {
    return this.#shown.map(({ name, lag, used }) => ({
      replica: name,
      lag_s: lag === undefined ? null : Math.round(lag.s * 10) / 10,
      used,
    }));
  }

  /** Those that there are; whoever asks is going to read by them. */
  forReading(): readonly Replica[] {
    this.#wanted = true;
    return this.#replicas;
  }

  /** One that is fit, one after the other. */
  next(): Replica | undefined {
    const fit = this.#replicas.filter(({ used }) => used);
    this.#turn += 1;
    return fit[this.#turn % fit.length];
  }

  /** A read met an error there. */
  failed(replica: Replica, error: unknown): void {
    // What is wrong with the statement is so at the primary, too.
    if (verdictOf(error) !== "reject") {
      replica.lag = undefined;
      this.#turnTo(replica, false, messageOf(error));
    }
  }

  #turnTo(replica: Replica, used: boolean, why: string): void {
    if (replica.used !== used && !this.#stopping.signal.aborted) {
      replica.used = used;
      this.#options.logger.warn(
        { replica: replica.name },
        used ? `replica is read: ${why}` : `replica is not read: ${why}`,
      );
    }
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const begunMs = performance.now();
      await this.#look();
      await pause(Math.max(0, begunMs + LOOK_EVERY_MS - performance.now()), signal);
    }
  }

  async #look(): Promise<void> {
    const atMs = performance.now();
    const lsn = await lsnOf(this.#primary as Pool, WRITTEN).catch(() => undefined);
    if (lsn !== undefined) {
      // Another primary, whose log is elsewhere: what was marked before says nothing of it.
      if (lsn < (this.#marks.at(-1)?.lsn ?? 0)) {
        this.#marks.length = 0;
      }
      this.#marks.push({ atMs, lsn });
      this.#marks.splice(0, this.#marks.length - MARKS);
    }
    await Promise.all(this.#replicas.map((replica) => this.#lookAt(replica)));
  }

  async #lookAt(replica: Replica): Promise<void> {
    const most = this.#options.settings.POSTGRES_READ_MAX_LAG_S;
    try {
      const lag = lagOf(this.#marks, await lsnOf(replica.pool, REPLAYED), performance.now());
      replica.lag = lag;
      this.#turnTo(replica, !lag.beyond && lag.s <= most, `${lag.s.toFixed(1)} s behind`);
    } catch (error) {
      replica.lag = undefined;
      this.#turnTo(replica, false, messageOf(error));
    }
  }
}

export const at = (settings: Settings, { host, port }: Place): Settings => ({
  ...settings,
  POSTGRES_HOST: host,
  POSTGRES_PORT: port,
});

async function lsnOf(pool: Pool, sql: string): Promise<number> {
  const { rows } = await within(
    ANSWER_MS,
    pool.query<{ lsn: number | null }>(sql),
    () => new Error("no answer"),
  );
  const { lsn } = one(rows);
  if (lsn === null) {
    throw new Error("it is no replica");
  }
  return lsn;
}

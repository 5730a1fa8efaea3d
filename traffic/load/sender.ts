import { deferred } from "../../lib/timing.js";
import type { ReadAnswer } from "./answer.js";
import { Connection, type ConnectionEvents, type Job } from "./connection.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import type { Target } from "./target.js";

/** How a request ended. */
export interface Ended {
  readonly outcome: Outcome;
  /** What it is called in the table of failures. */
  readonly failure: string | undefined;
  /** From the moment at which it was to be sent: a generator that is late does not hide what a caller would have waited. */
  readonly tookMs: number;
}

export interface SenderOptions {
  readonly target: Pick<Target, "host" | "port">;
  /** Requests under way at a time; more wait, and their wait counts. */
  readonly maxConnections: number;
  readonly timeoutMs: number;
  /** The bytes of a request, by its place in the run. */
  readonly requestOf: (index: number) => string;
  readonly onEnd: (index: number, ended: Ended) => void;
}

const LOOK_EVERY_MS = 250;

/** Sends requests over as many keep-alive connections as are needed at a time, one request on each. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #events: ConnectionEvents;
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
  /** Those that found no connection, oldest first from `#next` on. */
  #waiting: Job[] = [];
  #next = 0;
  #drained: ReturnType<typeof deferred<void>> | undefined;
  readonly #clock: NodeJS.Timeout;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#events = {
      onAnswer: (connection, answer) => this.#answered(connection, answer),
      onLost: (connection, why) => this.#lost(connection, why),
    };
    this.#clock = setInterval(() => this.#abandonLate(), LOOK_EVERY_MS);
  }

  get inFlight(): number {
    return this.#connections.size - this.#idle.length;
  }

  send(job: Job): void {
    const connection = this.#idle.pop() ?? this.#open();
    if (connection === undefined) {
      this.#waiting.push(job);
    } else {
      connection.send(job, this.#options.requestOf(job.index));
    }
  }

  /** Resolves when all that was given has ended. */
  async drained(): Promise<void> {
    if (this.inFlight > 0) {
      this.#drained = deferred();
      await this.#drained.promise;
    }
  }

  close(): void {
    clearInterval(this.#clock);
    for (const connection of this.#connections) {
      connection.close();
    }
  }

  #open(): Connection | undefined {
    const { target, maxConnections } = this.#options;
    if (this.#connections.size >= maxConnections) {
      return undefined;
    }
    const connection = new Connection(target, this.#events);
    this.#connections.add(connection);
    return connection;
  }

  #answered(connection: Connection, { status, code, last }: ReadAnswer): void {
    const { job } = connection;
    connection.job = undefined;
    if (job === undefined) {
      connection.lose("an answer to nothing");
      return;
    }
    if (last) {
      connection.close();
      this.#connections.delete(connection);
    } else {
      this.#idle.push(connection);
    }
    const outcome = outcomeOf(status, code);
    this.#end(job, outcome, outcome === "created" ? undefined : `${status} ${code ?? ""}`.trim());
  }

  #lost(connection: Connection, why: string): void {
    this.#connections.delete(connection);
    const { job, connected } = connection;
    if (job !== undefined) {
      this.#end(job, connected ? "unknown" : "refused", connected ? why : "unreachable");
    } else {
      this.#idle.splice(this.#idle.indexOf(connection), 1);
    }
  }

  #end({ index, dueMs }: Job, outcome: Outcome, failure: string | undefined): void {
    this.#options.onEnd(index, { outcome, failure, tookMs: performance.now() - dueMs });
    const next = this.#waiting[this.#next];
    if (next !== undefined) {
      this.#next += 1;
      this.send(next);
    } else if (this.#next > 0) {
      this.#waiting = [];
      this.#next = 0;
    }
    if (this.inFlight === 0) {
      this.#drained?.resolve();
    }
  }

  #abandonLate(): void {
    const before = performance.now() - this.#options.timeoutMs;
    for (const connection of this.#connections) {
      if (connection.job !== undefined && connection.sentMs < before) {
        connection.lose("timeout");
      }
    }
  }
}

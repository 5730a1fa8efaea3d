import { Readable } from "node:stream";
import { CoreError } from "../../lib/core_errors.js";
import type { Part } from "../../lib/runtime/lifecycle.js";

/** Comes where nothing else did for so long; proxies and pages give up on what is silent. */
const HEARTBEAT_MS = 15_000;
/** How soon a browser comes again whose stream was cut. */
const RETRY_MS = 2_000;
/** Of an earlier overview than this, what came since is not kept; it is told to ask anew. */
const KEPT = 200;

const frame = (event: string, data: unknown, id?: number): Buffer =>
  Buffer.from(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

export interface Following {
  /** Ends it. */
  readonly ending: AbortSignal;
  /** When the session of whoever follows ends, by Date.now(): it is told nothing after that. */
  readonly untilMs: number;
}

/**
 * Tells all pages that are open what the newest overview is. It is written once for all of them. An overview is whole, so a page that
 * reads slowly misses some and gets the newest: no page ever has more than one of them waiting.
 */
export class OverviewStream implements Part {
  readonly name = "stream of overviews";
  readonly #most: number;
  readonly #pages = new Set<Page>();
  #newest: { readonly id: number; readonly frame: Buffer } | undefined;
  #toldMs = performance.now();
  #heart: NodeJS.Timeout | undefined;

  /** @param most pages that may follow at a time */
  constructor(most: number) {
    this.#most = most;
  }

  get pages(): number {
    return this.#pages.size;
  }

  async start(): Promise<void> {
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS / 3).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart);
    for (const page of this.#pages) {
      page.end();
    }
  }

  /** @param id greater than those before */
  tell(id: number, overview: unknown): void {
    const told = frame("overview", overview, id);
    this.#newest = { id, frame: told };
    this.#toAll((page) => page.tell(told));
  }

  /**
   * What a page reads, from the newest overview on.
   *
   * @param lastId of the overview that it had last; undefined: none
   * @throws CoreError OVERLOADED where as many follow as may
   */
  follow(lastId: number | undefined, { ending, untilMs }: Following): Readable {
    if (this.#pages.size >= this.#most) {
      throw new CoreError("OVERLOADED", "Too many pages of the console are open here.");
    }
    const newest = this.#newest;
    const opening: Buffer[] = [Buffer.from(`retry: ${RETRY_MS}\n\n`)];
    if (newest !== undefined && lastId !== undefined && (lastId > newest.id || lastId <= newest.id - KEPT)) {
      opening.push(frame("resync", {}));
    }
    const page = new Page(Buffer.concat(opening), untilMs, () => {
      ending.removeEventListener("abort", end);
      this.#pages.delete(page);
    });
    const end = () => page.end();
    if (newest !== undefined) {
      page.tell(newest.frame);
    }
    ending.addEventListener("abort", end);
    this.#pages.add(page);
    if (ending.aborted) {
      end();
    }
    return page;
  }

  #beat(): void {
    if (this.#pages.size > 0 && performance.now() - this.#toldMs >= HEARTBEAT_MS) {
      const beat = frame("heartbeat", { at: new Date().toISOString() });
      this.#toAll((page) => page.beat(beat));
    }
  }

  #toAll(pass: (page: Page) => void): void {
    this.#toldMs = performance.now();
    const now = Date.now();
    for (const page of this.#pages) {
      if (now < page.untilMs) {
        pass(page);
      } else {
        page.end();
      }
    }
  }
}

/** One that reads; an overview that it has not read when the next comes is replaced by that. */
class Page extends Readable {
  readonly untilMs: number;
  readonly #onGone: () => void;
  #opening: Buffer | undefined;
  #next: Buffer | undefined;
  #wants = false;
  #ended = false;

  constructor(opening: Buffer, untilMs: number, onGone: () => void) {
    super({ highWaterMark: 1 });
    this.untilMs = untilMs;
    this.#opening = opening;
    this.#onGone = onGone;
  }

  tell(told: Buffer): void {
    this.#next = told;
    this.#pass();
  }

  /** Nothing to whom something waits for. */
  beat(told: Buffer): void {
    if (this.#next === undefined) {
      this.tell(told);
    }
  }

  end(): void {
    if (!this.#ended) {
      this.#ended = true;
      this.push(null);
    }
  }

  override _read(): void {
    this.#wants = true;
    this.#pass();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#onGone();
    done(error);
  }

  #pass(): void {
    const waiting = [this.#opening, this.#next].filter((each) => each !== undefined);
    if (this.#wants && !this.#ended && waiting.length > 0) {
      this.#opening = undefined;
      this.#next = undefined;
      this.#wants = this.push(Buffer.concat(waiting));
    }
  }
}

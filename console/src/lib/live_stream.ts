import { EventReader, type StreamEvent } from "./event_stream.js";
import { type ApiError, refusalOf } from "./problem.js";

/** Twice the server's heartbeat of 15 s and some: a stream silent for longer is cut, though nothing says so. */
const SILENCE_MS = 35_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** `away`: cut or refused, and tried again; what is shown grows old. */
export type Liveness = "connecting" | "live" | "away" | "paused";

export interface StreamOptions {
  readonly url: string;
  readonly onEvent: (event: StreamEvent) => void;
  /** @param refusal why it is away, where the server answered and said no */
  readonly onState: (state: Liveness, refusal?: ApiError) => void;
}

/**
 * The page's one stream: opened again after a cut, a refusal or a silence, with the id of the last event, until it is paused.
 * By fetch and not EventSource, which gives up for good on a refusal and hides heartbeats.
 */
export class LiveStream {
  readonly #options: StreamOptions;
  #lastId = "";
  #failures = 0;
  #open: AbortController | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#open === undefined && this.#retry === undefined) {
      this.#options.onState("connecting");
      void this.#connect();
    }
  }

  pause(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#open?.abort();
    this.#open = undefined;
    this.#failures = 0;
    this.#options.onState("paused");
  }

  async #connect(): Promise<void> {
    const open = new AbortController();
    this.#open = open;
    this.#retry = undefined;
    const refusal = await this.#read(open).catch(() => undefined);
    if (this.#open === open) {
      this.#open = undefined;
      this.#options.onState("away", refusal);
      this.#retry = setTimeout(() => void this.#connect(), this.#waitMs());
    }
  }

  /** Doubling, and spread by half, so that many pages do not come back at once. */
  #waitMs(): number {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    return wait * (0.5 + Math.random() / 2);
  }

  /** Until it ends. @returns why it was refused */
  async #read(open: AbortController): Promise<ApiError | undefined> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.#lastId !== "") {
      headers["Last-Event-ID"] = this.#lastId;
    }
    let silence = setTimeout(() => open.abort(), SILENCE_MS);
    try {
      const response = await fetch(this.#options.url, { headers, signal: open.signal, cache: "no-store" });
      if (!response.ok || response.body === null) {
        return await refusalOf(response);
      }
      const events = new EventReader();
      const texts = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await texts.read(); !piece.done; piece = await texts.read()) {
        clearTimeout(silence);
        silence = setTimeout(() => open.abort(), SILENCE_MS);
        for (const arrival of events.read(piece.value)) {
          this.#arrived(open, arrival.kind === "event" ? arrival : undefined);
        }
      }
      return undefined;
    } finally {
      clearTimeout(silence);
    }
  }

  #arrived(open: AbortController, event: StreamEvent | undefined): void {
    if (open.signal.aborted) {
      return; // paused while it was on its way
    }
    this.#failures = 0;
    this.#options.onState("live");
    if (event !== undefined) {
      this.#lastId = event.id;
      this.#options.onEvent(event);
    }
  }
}

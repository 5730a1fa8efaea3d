import { connect, type Socket } from "node:net";
import { messageOf } from "../../lib/errors.js";
import { AnswerReader, type ReadAnswer } from "./answer.js";
import type { Target } from "./target.js";

/** One for all connections: what it holds is read before the next one gets it. An answer is a kilobyte. */
const CHUNK = Buffer.allocUnsafe(65_536);

/** A request that is to be sent, or has been. */
export interface Job {
  /** Its place in the run; the first is 0. */
  readonly index: number;
  /** When it was to be sent, by performance.now(). */
  readonly dueMs: number;
}

export interface ConnectionEvents {
  readonly onAnswer: (connection: Connection, answer: ReadAnswer) => void;
  /** It is of no more use. */
  readonly onLost: (connection: Connection, why: string) => void;
}

/** A keep-alive connection with one request at a time on it. Below Node's HTTP client, which costs five times as much. */
export class Connection {
  /** What is under way on it, and since when. */
  job: Job | undefined;
  sentMs = 0;
  /** Before that nothing that was sent can have got anywhere. */
  connected = false;
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #reader = new AnswerReader();
  #over = false;

  constructor({ host, port }: Pick<Target, "host" | "port">, events: ConnectionEvents) {
    this.#events = events;
    const callback = (length: number) => {
      this.#read(length);
      return true;
    };
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer: CHUNK, callback } });
    this.#socket.on("connect", () => {
      this.connected = true;
    });
    this.#socket.on("error", (error) => this.lose(messageOf(error)));
    this.#socket.on("close", () => this.lose("closed"));
  }

  send(job: Job, request: string): void {
    this.job = job;
    this.sentMs = performance.now();
    this.#socket.write(request, "latin1");
  }

  /** Without another word to whoever listens. */
  close(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  /** As somebody does who waits no longer. */
  lose(why: string): void {
    if (!this.#over) {
      this.close();
      this.#events.onLost(this, why);
    }
  }

  #read(length: number): void {
    let answer: ReadAnswer | undefined;
    try {
      answer = this.#reader.read(CHUNK.subarray(0, length));
    } catch (error) {
      this.lose(messageOf(error));
      return;
    }
    if (answer !== undefined) {
      this.#events.onAnswer(this, answer);
    }
  }
}

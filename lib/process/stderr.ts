import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { codeOf } from "../errors.js";

/** A reader that is slow is waited for so long; one that stands still must not hold up the work for every line. */
const WRITE_TIMEOUT_MS = 1_000;
const NAP_MS = 10;

type Write = (fd: number, data: Uint8Array, offset: number) => number;

/**
 * Lines for a descriptor that may fail at any time: a full disk, a reader that has gone, a terminal that was closed. Never throws
 * and never waits long: what cannot be written is counted, and said as soon as writing works again. Without Node's
 * streams: an error that nobody listens to ends the process, and a stream that has failed once stays silent for good.
 */
export class LineWriter {
  /** All that were ever lost. */
  lost = 0;
  /** The line that says so, in the format of the lines around it. */
  announce = (lost: number, code: string): string => `${lost} lines lost: ${code}\n`;
  readonly #fd: number;
  readonly #writeTo: Write;
  #unsaid = 0;
  #code = "";
  /** The last line was lost. That the short one which says so found room does not make the reader a quick one. */
  #stands = false;
  /** The end of a line that was cut by an error: it goes first, so that every line is whole. */
  #rest: Uint8Array = new Uint8Array();

  constructor(fd: number, writeTo: Write = writeSync) {
    this.#fd = fd;
    this.#writeTo = writeTo;
  }

  write(text: string): void {
    if (this.#unsaid > 0 && this.#put(this.announce(this.#unsaid, this.#code))) {
      this.#unsaid = 0;
    }
    this.#stands = this.#unsaid > 0 || !this.#put(text);
    if (this.#stands) {
      this.#unsaid++;
      this.lost++;
    }
  }

  /** @returns false when nothing of it was written. */
  #put(text: string): boolean {
    this.#rest = this.#push(this.#rest);
    if (this.#rest.length > 0) {
      return false;
    }
    const data = Buffer.from(text);
    const left = this.#push(data);
    if (left.length === data.length && data.length > 0) {
      return false;
    }
    this.#rest = left;
    return true;
  }

  /** @returns what could not be written. */
  #push(data: Uint8Array): Uint8Array {
    let offset = 0;
    let leftMs = this.#stands ? 0 : WRITE_TIMEOUT_MS;
    while (offset < data.length) {
      try {
        offset += this.#writeTo(this.#fd, data, offset);
      } catch (error) {
        this.#code = codeOf(error) ?? "UNKNOWN";
        // A pipe that is full and does not block.
        if (this.#code !== "EAGAIN" || leftMs <= 0) {
          break;
        }
        leftMs -= NAP_MS;
        Atomics.wait(never, 0, 0, NAP_MS);
      }
    }
    return data.subarray(offset);
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * A pipe whose reader stands still would hold up each write for good. It is opened anew, as whoever shares ours may count on
 * its blocking; a socket cannot be opened so, nor can another user's pipe.
 */
function patient(fd: number): number {
  try {
    return fstatSync(fd).isFIFO()
      ? openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
      : fd;
  } catch {
    return fd;
  }
}

/** Where log, progress and errors of this process go. */
export const stderrLines = new LineWriter(patient(2));

/** One or more lines for whoever watches. */
export function say(text: string): void {
  stderrLines.write(`${text}\n`);
}

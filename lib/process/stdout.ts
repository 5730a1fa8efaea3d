import { once } from "node:events";
import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { CoreError } from "../core_errors.js";
import { codeOf, messageOf, type PlatformError } from "../errors.js";

/**
 * A command's data. What of it cannot be written stops no work: it is noted, and the command ends with it
 * (`outputProblem`), because data with a hole must not look whole.
 */

let failure: unknown;
let stream: NodeJS.WriteStream | undefined | null;

export function print(text: string): void {
  write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function write(text: string): void {
  stream = stream === undefined ? openStream() : stream;
  if (stream !== null) {
    // Nobody reads what comes after a hole in a pipe.
    if (failure === undefined) {
      stream.write(text);
    }
    return;
  }
  try {
    // Not through Node's stream, which takes a write for whole that a full disk has cut.
    const data = Buffer.from(text);
    for (let offset = 0; offset < data.length; ) {
      offset += writeSync(1, data, offset);
    }
  } catch (error) {
    failure ??= error;
  }
}

/** Waits for a reader that is slower than we are. @throws PlatformError OUTPUT_LOST when there is no use in writing more. */
export async function ready(): Promise<void> {
  if (stream?.writableNeedDrain === true && failure === undefined) {
    await once(stream, "drain").catch(() => undefined);
  }
  if (failure !== undefined) {
    throw lostOutput();
  }
}

/** Waits until all is written. @returns what the command has to end with: nothing when the reader has gone, as `head` does. */
export async function outputProblem(): Promise<PlatformError | undefined> {
  const open = stream;
  if (open && failure === undefined) {
    await new Promise<void>((resolve) => {
      open.once("error", () => resolve());
      open.write("", () => resolve());
    });
  }
  return failure === undefined || codeOf(failure) === "EPIPE" ? undefined : lostOutput();
}

function lostOutput(): PlatformError {
  return new CoreError("OUTPUT_LOST", `what was printed is not whole: ${messageOf(failure)}.`, {
    hint: "Only the output is lost: look before you do it again.",
    cause: failure,
  });
}

/** Pipes and terminals take their time, so they are written to without waiting; null for files. */
function openStream(): NodeJS.WriteStream | null {
  const kind = fstatSync(1);
  if (!kind.isFIFO() && !kind.isSocket() && !isatty(1)) {
    return null;
  }
  return process.stdout.on("error", (error) => {
    failure ??= error;
  });
}

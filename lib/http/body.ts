import { isUtf8 } from "node:buffer";
import { PassThrough, type TransformCallback } from "node:stream";
import type { FastifyInstance } from "fastify";
import { CoreError } from "../core_errors.js";

/** Makes values of JSON text. @throws an error with the code MESSAGE_MALFORMED, without the text. */
export type ParseJson = (text: string) => unknown;

/** How a handler gets a body that is not JSON, or is JSON and must be seen as it came (a signature covers its bytes). */
export type BodyKind = "text" | "bytes" | "stream";

/** An event has a dozen levels at most; each level costs its readers stack. */
const MAX_LEVELS = 32;
const [QUOTE, BACKSLASH, ARRAY, OBJECT, ARRAY_END, OBJECT_END] = [0x22, 0x5c, 0x5b, 0x7b, 0x5d, 0x7d];

/** Has the server take `application/json` and nothing else: no text/plain, which fastify takes by itself. */
export function takeJson(server: FastifyInstance, parseJson: ParseJson): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_, bytes: Buffer, done) => {
    done(null, parseJson(jsonText(bytes)));
  });
}

/** Has the server take bodies of other kinds, by content type. @param limitBytes of a stream; fastify counts the others. */
export function takeOthers(
  server: FastifyInstance,
  kinds: Readonly<Record<string, BodyKind>>,
  limitBytes: number,
): void {
  for (const [type, kind] of Object.entries(kinds)) {
    if (server.hasContentTypeParser(type)) {
      server.removeContentTypeParser(type);
    }
    if (kind === "stream") {
      server.addContentTypeParser(type, (request, payload, done) => {
        if (Number(request.headers["content-length"]) > limitBytes) {
          throw tooLarge();
        }
        const limited = new Limited(limitBytes);
        payload.on("error", (error) => limited.destroy(error)).pipe(limited);
        done(null, limited);
      });
    } else {
      server.addContentTypeParser(type, { parseAs: "buffer" }, (_, bytes: Buffer, done) =>
        done(null, kind === "bytes" ? bytes : utf8Text(bytes)),
      );
    }
  }
}

/** @throws CoreError MESSAGE_MALFORMED */
export const parsePlainJson: ParseJson = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own text repeats what it could not read.
    throw new CoreError("MESSAGE_MALFORMED", "The body is not JSON.");
  }
};

function jsonText(bytes: Buffer): string {
  const text = utf8Text(bytes);
  if (levelsOf(bytes) > MAX_LEVELS) {
    throw new CoreError("MESSAGE_MALFORMED", `The body's JSON has more than ${MAX_LEVELS} levels.`);
  }
  return text;
}

function utf8Text(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    throw new CoreError("MESSAGE_MALFORMED", "The body is not UTF-8.");
  }
  return bytes.toString("utf8");
}

/** How deep JSON goes, by its brackets outside strings. In UTF-8 no byte of another character looks like one. */
function levelsOf(bytes: Buffer): number {
  let level = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) {
        i++;
      } else if (byte === QUOTE) {
        inString = false;
      }
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OBJECT || byte === ARRAY) {
      deepest = Math.max(deepest, ++level);
    } else if (byte === OBJECT_END || byte === ARRAY_END) {
      level--;
    }
  }
  return deepest;
}

const tooLarge = () => new CoreError("MESSAGE_TOO_LARGE", "The body is larger than the endpoint takes.");

/** Passes bytes on and fails once there are too many. */
class Limited extends PassThrough {
  #left: number;

  constructor(limitBytes: number) {
    super();
    this.#left = limitBytes;
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length;
    if (this.#left < 0) {
      done(tooLarge());
    } else {
      super._transform(chunk, encoding, done);
    }
  }
}

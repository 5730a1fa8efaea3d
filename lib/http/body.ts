import { isUtf8 } from "node:buffer";
import { PassThrough, type TransformCallback } from "node:stream";
import type { FastifyInstance } from "fastify";
import { CoreError } from "../core_errors.js";
import { parseJson } from "../domain/json_parse.js";
import { WHOLE_BODY } from "../errors.js";

/** How a handler gets a body that is not JSON, or is JSON and must be seen as it came (a signature covers its bytes). */
export type BodyKind = "text" | "bytes" | "stream";

/** Has the server take `application/json` and nothing else: no text/plain, which fastify takes by itself. */
export function takeJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_, bytes: Buffer, done) => {
    done(null, parseJson(bytes));
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

function utf8Text(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    throw new CoreError("MESSAGE_MALFORMED", "The body is not UTF-8.", { field: WHOLE_BODY });
  }
  return bytes.toString("utf8");
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

import { isUtf8 } from "node:buffer";
import { PassThrough, type TransformCallback } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { CoreError } from "../core_errors.js";
import { parseJson } from "../domain/json_parse.js";
import { WHOLE_BODY } from "../errors.js";

/** How a handler gets a body that is not JSON, or is JSON and must be seen as it came (a signature covers its bytes). */
export type BodyKind = "text" | "bytes" | "stream";

const JSON_TYPE = "application/json";

/** Has the server take `application/json` and nothing else: no text/plain, which fastify takes by itself. */
export function takeJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(JSON_TYPE, { parseAs: "buffer" }, (request, bytes: Buffer, done) => {
    requireUtf8(request);
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
      server.addContentTypeParser(type, { parseAs: "buffer" }, (request, bytes: Buffer, done) => {
        if (kind === "text" || type === JSON_TYPE) {
          requireUtf8(request);
        }
        done(null, kind === "bytes" ? bytes : utf8Text(bytes));
      });
    }
  }
}

/** A parameter `charset` of another value than UTF-8. */
const OTHER_CHARSET = /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(?:;|$))/i;

/**
 * Nothing is unpacked, and no text is read but UTF-8: what says that it is something else is not taken for that.
 *
 * @throws CoreError CONTENT_TYPE_UNSUPPORTED
 */
function requireUtf8({ headers }: FastifyRequest): void {
  const encoding = headers["content-encoding"] ?? "";
  if (encoding !== "" && encoding.toLowerCase() !== "identity") {
    throw unsupported("The body has a Content-Encoding, and the endpoint takes none.", "content-encoding");
  }
  if (OTHER_CHARSET.test(headers["content-type"] ?? "")) {
    throw unsupported("The endpoint takes no other charset than UTF-8.", "content-type");
  }
}

const unsupported = (text: string, header: string) =>
  new CoreError("CONTENT_TYPE_UNSUPPORTED", text, { field: { in: "header", pointer: `#/${header}` } });

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

import { Readable } from "node:stream";
import { z } from "zod";
import type { StreamedAnswer } from "../../../lib/http/answer.js";
import { defineRoute, type Route } from "../../../lib/http/route.js";
import { ConsoleError } from "../errors.js";
import type { ConsolePage, PageFile } from "../page.js";
import { OWN } from "./route.js";

/** The page may load its own scripts, styles and images, and ask this server; nothing else, and nobody may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The page itself at `/`, and its files. It tells nothing by itself, so it is for all: whoever has not signed in is asked there. */
export function getPage({ page }: { readonly page: ConsolePage }): readonly Route[] {
  const at = (path: `/${string}`) =>
    defineRoute({
      ...OWN,
      ...{ method: "GET", path, summary: "The console's page" },
      request: { params: z.object({ file: z.string().optional() }) },
      answers: { 200: z.string() },
      handle: async ({ params: { file } }) => answerOf(page, file === undefined ? path : `/assets/${file}`),
    });
  // Processes that do not run it only tell what there is.
  return ["/" as const, "/assets/:file" as const, ...(page?.others ?? [])].map(at);
}

/** @throws ConsoleError CONSOLE_NOT_BUILT, CONSOLE_NOT_FOUND */
function answerOf(page: ConsolePage, path: string): StreamedAnswer {
  const file = page.file(path);
  if (file === undefined && path === "/") {
    throw new ConsoleError("CONSOLE_NOT_BUILT", "The console's page is not built.", {
      hint: "Run npm run build, and start this process again.",
    });
  }
  if (file === undefined) {
    throw new ConsoleError("CONSOLE_NOT_FOUND", "the page has no such file.");
  }
  return { status: 200, headers: headersOf(file), stream: Readable.from([file.bytes]) };
}

const headersOf = ({ type, bytes, isForGood }: PageFile) => ({
  ...HEADERS,
  "content-type": type,
  "content-length": String(bytes.length),
  "cache-control": isForGood ? "public, max-age=31536000, immutable" : "no-cache",
});

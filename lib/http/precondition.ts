import type { IncomingHttpHeaders } from "node:http";
import { CoreError } from "../core_errors.js";

/** The ETag of something that has versions; strong, as its bytes change with the version only. */
export const etagOf = (version: number): string => `"${version}"`;

/** `*`, or tags with commas between them. A weak one is read and never matches. */
const TAGS = /^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*)\s*$/;

/**
 * A request with If-Match wants what it saw to be there still (RFC 9110, 13.1.1).
 *
 * @throws CoreError PRECONDITION_FAILED with the ETag that there is, also for a header that is none
 */
export function requireMatch({ "if-match": header }: IncomingHttpHeaders, etag: string): void {
  if (header === undefined) {
    return;
  }
  const tags = TAGS.test(header) ? header.split(",").map((tag) => tag.trim()) : [];
  if (!tags.includes("*") && !tags.includes(etag)) {
    throw new CoreError("PRECONDITION_FAILED", "it has changed since, or If-Match is no list of ETags.", {
      hint: `Read it again: its ETag is ${etag}.`,
      field: { in: "header", pointer: "#/if-match" },
      members: { etag },
    });
  }
}

/** As RFC 9110 compares for If-None-Match: weakly, and `*` is any. */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}

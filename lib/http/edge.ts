import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { CoreError } from "../core_errors.js";
import type { Settings } from "../settings/base.js";
import { ANYBODY, ApiKeys } from "./api_keys.js";

export type EdgeSettings = Pick<
  Settings,
  "HTTP_HOST" | "HTTP_ALLOWED_HOSTS" | "HTTP_CORS_ORIGINS" | "HTTP_API_KEYS"
>;

/** What a page may send, and may read of an answer. */
const PREFLIGHT = {
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers":
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Traceparent, X-Api-Key, X-Report-Version",
  "access-control-max-age": "600",
};
const EXPOSED =
  "ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, Traceparent, " +
  "X-Report-Epoch, X-Report-Lag, X-Report-Version";

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/i;
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
const UNSPECIFIED = ["0.0.0.0", "::"];

/**
 * Who may ask: under a name that is ours, from no foreign page, and with a key where keys are set. Without the first a page
 * whose name was made to point at this machine (DNS rebinding) would be of our own origin.
 */
export class Edge {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #keys: ApiKeys;

  /** @throws CoreError SETTINGS_INVALID also when an address beyond loopback has no keys. */
  constructor(settings: EdgeSettings) {
    const { HTTP_HOST: host, HTTP_ALLOWED_HOSTS, HTTP_CORS_ORIGINS, HTTP_API_KEYS } = settings;
    const own = UNSPECIFIED.includes(host) ? [] : [host.includes(":") ? `[${host}]` : host];
    const more = listOf("HTTP_ALLOWED_HOSTS", HTTP_ALLOWED_HOSTS, isHost, "a name without scheme and port");
    const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;
    this.#hosts = new Set(
      ["127.0.0.1", "localhost", "[::1]", ...own, ...more].map((name) => name.toLowerCase()),
    );
    this.#origins = new Set(
      listOf("HTTP_CORS_ORIGINS", HTTP_CORS_ORIGINS, isOrigin, "an origin such as https://shop.example"),
    );
    this.#keys = new ApiKeys(HTTP_API_KEYS);
    if (this.#keys.none && !isLoopback(host)) {
      throw new CoreError(
        "SETTINGS_INVALID",
        `HTTP_API_KEYS: HTTP_HOST ${host} is not loopback, and no key is set.`,
        {
          hint: "Set HTTP_API_KEYS or HTTP_API_KEYS_FILE, or HTTP_HOST to 127.0.0.1.",
        },
      );
    }
  }

  /**
   * @param place where no key is asked for, if `keyless`
   * @returns the caller
   * @throws CoreError HOST_REFUSED, ORIGIN_REFUSED, API_KEY_REFUSED
   */
  admit(
    method: string,
    headers: IncomingHttpHeaders,
    { keyless = false }: { readonly keyless?: boolean } = {},
  ): string {
    const host = headers.host?.toLowerCase() ?? "";
    if (!this.#hosts.has(host.replace(/:\d+$/, ""))) {
      throw new CoreError("HOST_REFUSED", "The Host is none of ours.", {
        hint: "HTTP_ALLOWED_HOSTS names more.",
        field: { in: "header", pointer: "#/host" },
      });
    }
    const isLink = keyless && isNavigation(method, headers);
    if (!isLink && isForeign(method, headers, host) && !this.#origins.has(headers.origin ?? "")) {
      throw new CoreError("ORIGIN_REFUSED", "A page of another origin may not call this.", {
        hint: "HTTP_CORS_ORIGINS names those that may.",
        field: { in: "header", pointer: "#/origin" },
      });
    }
    // With OPTIONS a page asks whether it may ask; no browser adds a key to that, and no endpoint takes it.
    if (this.#keys.none || keyless || method === "OPTIONS") {
      return ANYBODY;
    }
    const name = this.#keys.nameOf(headers);
    if (name === undefined) {
      throw new CoreError("API_KEY_REFUSED", "This needs an API key: Authorization: Bearer, or X-Api-Key.");
    }
    return name;
  }

  /** What a page of an origin that HTTP_CORS_ORIGINS names must be told to read the answer; undefined for other requests. */
  corsOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> | undefined {
    const { origin } = headers;
    if (origin === undefined || !this.#origins.has(origin)) {
      return undefined;
    }
    const asked = headers["access-control-request-method"] !== undefined;
    return {
      "access-control-allow-origin": origin,
      vary: "Origin",
      ...(asked ? PREFLIGHT : { "access-control-expose-headers": EXPOSED }),
    };
  }
}

/**
 * Whether a page of another origin asks. A browser says so in Sec-Fetch-Site; another port of the same host is `same-site`, from
 * where a page may link here but not change anything. A browser too old to say gives at least the Origin of what changes things.
 */
function isForeign(method: string, headers: IncomingHttpHeaders, host: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site === "same-origin" || site === "none") {
    return false;
  }
  if (site === "cross-site") {
    return true;
  }
  const { origin } = headers;
  const reads = method === "GET" || method === "HEAD";
  return !reads && origin !== undefined && origin.replace(/^https?:\/\//, "") !== host;
}

/** Somebody follows a link: what comes is shown to a person and no script of the other page reads it. */
const isNavigation = (method: string, headers: IncomingHttpHeaders) =>
  method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";

/** @throws CoreError SETTINGS_INVALID */
export const trustedProxies = ({ HTTP_TRUSTED_PROXIES: text }: Pick<Settings, "HTTP_TRUSTED_PROXIES">) =>
  listOf("HTTP_TRUSTED_PROXIES", text, isNetwork, "an address or a network such as 10.1.0.0/16");

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= most);
  return most > 0 && isPrefix && more.length === 0;
}

const isHost = (text: string) => /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i.test(text);

function listOf(name: string, setting: string, isOne: (text: string) => boolean, what: string): string[] {
  const entries = setting
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const wrong = entries.find((entry) => !isOne(entry));
  if (wrong !== undefined) {
    throw new CoreError("SETTINGS_INVALID", `${name}: ${wrong} is not ${what}.`);
  }
  return entries;
}

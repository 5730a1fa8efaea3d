import { createHmac, hash, scryptSync, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { CoreError } from "../../lib/core_errors.js";
import { isLoopback } from "../../lib/http/edge.js";
import type { Settings } from "../../lib/settings/base.js";
import type { Role, SignIn } from "./contracts/session.js";
import { ConsoleError } from "./errors.js";
import type { ConsoleSettings } from "./settings.js";
import { WrongPasswords } from "./wrong_passwords.js";

/** Who asks. */
export interface Person {
  readonly role: Role;
  /** As the audit's rows have it. */
  readonly name: string;
  /** When the session ends, by Date.now(). */
  readonly untilMs: number;
}

export type AccessSettings = Pick<
  Settings,
  "HTTP_HOST" | "HTTP_ALLOWED_HOSTS" | "HTTP_TRUSTED_PROXIES" | "HTTP_API_KEYS"
> &
  Pick<ConsoleSettings, "CONSOLE_PASSWORD" | "CONSOLE_VIEWER_PASSWORD" | "CONSOLE_SESSION_S">;

const COOKIE = "payments_console";
/** Where others can try them. */
const LEAST_PASSWORD = 12;
/** Where no password is wanted there is nobody to tell apart. */
const ANYBODY: Person = {
  role: "operator",
  name: "operator on this machine",
  untilMs: Number.POSITIVE_INFINITY,
};

/**
 * Who may look at the console, and who may act. A session is a cookie that says who signed in and until when, sealed with a key that
 * hangs on the passwords: any process of the platform knows it, none has to keep it, and a new password ends all of them.
 */
export class Access {
  readonly #settings: AccessSettings;
  readonly #now: () => number;
  #key: Buffer | undefined;
  readonly #wrong: WrongPasswords;

  /** @throws CoreError SETTINGS_INVALID where others than whoever sits at this machine can reach it and no password is set */
  constructor(settings: AccessSettings, now: () => number = Date.now) {
    const { CONSOLE_PASSWORD: operators, CONSOLE_VIEWER_PASSWORD: viewers } = settings;
    const why = whyPassword(settings);
    this.#settings = settings;
    this.#now = now;
    this.#wrong = new WrongPasswords(now);
    if (operators === "" && why !== undefined) {
      throw new CoreError("SETTINGS_INVALID", `CONSOLE_PASSWORD: ${why}, and the console has no password.`, {
        hint: "Set CONSOLE_PASSWORD or CONSOLE_PASSWORD_FILE.",
      });
    }
    const short = Object.entries({ CONSOLE_PASSWORD: operators, CONSOLE_VIEWER_PASSWORD: viewers })
      .filter(([, password]) => password !== "" && password.length < LEAST_PASSWORD)
      .map(([name]) => name);
    if (short.length > 0 && why !== undefined) {
      const message = `${short.join(", ")}: ${why}, and a password has fewer than ${LEAST_PASSWORD} characters.`;
      throw new CoreError("SETTINGS_INVALID", message);
    }
    if (operators !== "" && operators === viewers) {
      throw new CoreError("SETTINGS_INVALID", "CONSOLE_VIEWER_PASSWORD is the same as CONSOLE_PASSWORD.");
    }
    if (operators === "" && viewers !== "") {
      throw new CoreError("SETTINGS_INVALID", "CONSOLE_VIEWER_PASSWORD is set, and CONSOLE_PASSWORD is not.");
    }
  }

  get wantsPassword(): boolean {
    return this.#settings.CONSOLE_PASSWORD !== "";
  }

  /**
   * A page that HTTP_CORS_ORIGINS names may call the API; it neither sees nor does what whoever sits at the console may.
   *
   * @returns undefined: nobody has signed in, or it is too long ago.
   * @throws CoreError ORIGIN_REFUSED
   */
  personOf(headers: IncomingHttpHeaders): Person | undefined {
    requireOwnPage(headers);
    return this.wantsPassword ? this.#unseal(cookieOf(headers)) : ANYBODY;
  }

  /** @throws ConsoleError CONSOLE_SIGNED_OUT; CoreError ORIGIN_REFUSED */
  requireViewer(headers: IncomingHttpHeaders): Person {
    const person = this.personOf(headers);
    if (person === undefined) {
      throw new ConsoleError("CONSOLE_SIGNED_OUT", "Nobody has signed in here.");
    }
    return person;
  }

  /** @throws ConsoleError CONSOLE_SIGNED_OUT, CONSOLE_READ_ONLY; CoreError ORIGIN_REFUSED */
  requireOperator(headers: IncomingHttpHeaders): Person {
    const person = this.requireViewer(headers);
    if (person.role !== "operator") {
      throw new ConsoleError("CONSOLE_READ_ONLY", "A viewer may look, and not act.");
    }
    return person;
  }

  /**
   * @param address of whoever asks, as trusted proxies tell it
   * @returns who it is now, and the header that has the browser keep it
   * @throws ConsoleError CONSOLE_PASSWORD_REFUSED; CoreError RATE_LIMITED after five wrong ones from there, for a minute
   */
  signIn(
    { password, name }: SignIn,
    headers: IncomingHttpHeaders,
    address: string,
  ): [Person, setCookie: string] {
    requireOwnPage(headers);
    if (!this.wantsPassword) {
      return [ANYBODY, expired(headers)];
    }
    const role = this.#roleOf(password, address);
    const { CONSOLE_SESSION_S: seconds } = this.#settings;
    const person = { role, name: name ?? role, untilMs: this.#now() + seconds * 1_000 };
    return [person, cookie(this.#seal(person), seconds, headers)];
  }

  /** The header that has the browser forget who it is. */
  signOut(headers: IncomingHttpHeaders): string {
    requireOwnPage(headers);
    return expired(headers);
  }

  #roleOf(password: string, caller: string): Role {
    if (this.#wrong.areTooMany(caller)) {
      throw new CoreError("RATE_LIMITED", "Too many wrong passwords. Try again in a minute.");
    }
    const { CONSOLE_PASSWORD: operators, CONSOLE_VIEWER_PASSWORD: viewers } = this.#settings;
    // Both, so that the time it takes tells nothing.
    const [isOperator, isViewer] = [isSame(password, operators), viewers !== "" && isSame(password, viewers)];
    if (!isOperator && !isViewer) {
      this.#wrong.add(caller);
      throw new ConsoleError("CONSOLE_PASSWORD_REFUSED", "The password is none of the console's.");
    }
    this.#wrong.forget(caller);
    return isOperator ? "operator" : "viewer";
  }

  #seal({ role, name, untilMs }: Person): string {
    const text = Buffer.from(JSON.stringify([role, name, untilMs])).toString("base64url");
    return `${text}.${this.#sealOf(text)}`;
  }

  #unseal(sealed: string | undefined): Person | undefined {
    const [text = "", seal = ""] = sealed?.split(".") ?? [];
    if (sealed === undefined || !isSame(seal, this.#sealOf(text))) {
      return undefined;
    }
    const [role, name, untilMs] = JSON.parse(Buffer.from(text, "base64url").toString()) as [
      Role,
      string,
      number,
    ];
    return this.#now() < untilMs ? { role, name, untilMs } : undefined;
  }

  #sealOf(text: string): string {
    // Slow on purpose: whoever has a cookie could try passwords on it.
    const { CONSOLE_PASSWORD: operators, CONSOLE_VIEWER_PASSWORD: viewers } = this.#settings;
    this.#key ??= scryptSync(`${operators}\n${viewers}`, "payments console session", 32);
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}

/** What of the settings says that not everybody who can reach it may do everything; undefined: nothing does. */
function whyPassword(settings: AccessSettings) {
  const { HTTP_HOST: host, HTTP_ALLOWED_HOSTS: names, HTTP_API_KEYS: keys } = settings;
  const named = names
    .split(",")
    .map((name) => name.trim())
    .find((name) => name !== "" && !isLoopback(name.replace(/^\[(.*)\]$/, "$1")));
  if (!isLoopback(host)) {
    return `HTTP_HOST ${host} is not loopback`;
  }
  if (named !== undefined) {
    return `HTTP_ALLOWED_HOSTS names ${named}, whose proxy lets others in`;
  }
  if (settings.HTTP_TRUSTED_PROXIES !== "") {
    return "HTTP_TRUSTED_PROXIES names a proxy, which lets others in";
  }
  return keys === ""
    ? undefined
    : "HTTP_API_KEYS is set, and without a password the console asks for nothing";
}

/** In constant time, whatever their lengths. */
const isSame = (a: string, b: string) =>
  timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));

/** @throws CoreError ORIGIN_REFUSED */
function requireOwnPage({ origin, host, ...headers }: IncomingHttpHeaders): void {
  const site = headers["sec-fetch-site"];
  const isOwn =
    site === undefined
      ? origin === undefined || origin.replace(/^https?:\/\//, "") === host
      : site === "same-origin" || site === "none";
  if (!isOwn) {
    throw new CoreError("ORIGIN_REFUSED", "Only the console's own page may ask this.", {
      field: { in: "header", pointer: "#/origin" },
    });
  }
}

function cookieOf({ cookie: all = "" }: IncomingHttpHeaders): string | undefined {
  return all
    .split(";")
    .map((each) => each.trim().split("="))
    .find(([name]) => name === COOKIE)?.[1];
}

const expired = (headers: IncomingHttpHeaders) => cookie("", 0, headers);

/** Of a proxy that speaks TLS for us we know by what it says. */
function cookie(value: string, maxAgeS: number, headers: IncomingHttpHeaders): string {
  const secure = headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  return `${COOKIE}=${value}; Path=/console; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`;
}

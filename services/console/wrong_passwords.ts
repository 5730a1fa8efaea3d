import { isIP } from "node:net";

/** Of one caller: wrong passwords that are answered at once, and how long none of theirs is looked at after that. */
const TRIES = 5;
/** Of all callers together in that time: whoever has many addresses guesses no faster. */
const TRIES_OF_ALL = 100;
const LOCKED_MS = 60_000;
/** More callers are not told apart: the oldest are forgotten. */
const MOST_CALLERS = 10_000;

interface Tries {
  readonly tries: number;
  readonly untilMs: number;
}

const NONE: Tries = { tries: 0, untilMs: 0 };

/** Who gave wrong passwords of late: a stranger who guesses keeps nobody else from signing in. */
export class WrongPasswords {
  readonly #now: () => number;
  readonly #callers = new Map<string, Tries>();
  #all = NONE;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether none of a caller's is looked at now. @param address IPv4 or IPv6 */
  areTooMany(address: string): boolean {
    const own = this.#current(this.#callers.get(callerAt(address)));
    return own.tries >= TRIES || this.#current(this.#all).tries >= TRIES_OF_ALL;
  }

  add(address: string): void {
    const caller = callerAt(address);
    const untilMs = this.#now() + LOCKED_MS;
    const { tries } = this.#current(this.#callers.get(caller));
    this.#callers.delete(caller);
    this.#callers.set(caller, { tries: tries + 1, untilMs });
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > MOST_CALLERS && oldest !== undefined) {
      this.#callers.delete(oldest);
    }
    const all = this.#current(this.#all);
    // From the first one on: a guess a minute does not lock everybody out for ever.
    this.#all = { tries: all.tries + 1, untilMs: all.tries === 0 ? untilMs : all.untilMs };
  }

  /** The caller knows the password. */
  forget(address: string): void {
    this.#callers.delete(callerAt(address));
  }

  #current(tries = NONE): Tries {
    return this.#now() < tries.untilMs ? tries : NONE;
  }
}

/** Of IPv6 the /64, which one household or one rented machine has whole; IPv4 that comes mapped into it is IPv4. */
function callerAt(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined || isIP(address) !== 6) {
    return mapped ?? address;
  }
  const [head = "", tail = ""] = address.toLowerCase().replace(/%.*/, "").split("::");
  const [first, last] = [head, tail].map((half) => half.split(":").filter((group) => group !== "")) as [
    string[],
    string[],
  ];
  const zeros = address.includes("::")
    ? Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0")
    : [];
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

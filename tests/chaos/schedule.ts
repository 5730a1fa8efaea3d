import { Prng } from "../../etl/world/prng.js";
import type { Direction } from "../harness/proxy.js";

/** What is done to whom. Worker numbers count from 0. */
export type Fault =
  /** SIGKILL; a new process takes its place after `forMs`. */
  | { readonly kind: "worker.kill"; readonly worker: number; readonly forMs: number }
  /** SIGSTOP, and SIGCONT after `forMs`. */
  | { readonly kind: "worker.freeze"; readonly worker: number; readonly forMs: number }
  /** Servers end, and are started again after `forMs`. */
  | { readonly kind: ServerKind; readonly forMs: number }
  | LinkFault;

export type ServerKind =
  | "postgres.fast"
  | "postgres.immediate"
  | "postgres.kill"
  | "rabbitmq.stop"
  | "rabbitmq.kill"
  | "both.kill";

export const SERVERS = ["postgres", "rabbitmq"] as const;
export type ServerName = (typeof SERVERS)[number];

/** On the way between some workers and a server; traps (cut, reply) wait for their moment for at most `forMs`. */
export type LinkFault = {
  readonly link: ServerName;
  readonly workers: readonly number[];
  readonly forMs: number;
} & (
  | { readonly kind: "link.delay"; readonly delayMs: number }
  | { readonly kind: "link.reset" | "link.refuse" | "link.mute" | "link.swallow" | "link.reply" }
  | { readonly kind: "link.cut"; readonly direction: Direction; readonly bytes: number }
);

/** A fault and the earliest moment for it. Faults of one lane wait for one another; lanes are independent. */
export interface Event {
  readonly atMs: number;
  readonly lane: string;
  readonly fault: Fault;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: number;
  readonly longestFreezeMs: number;
}

const SERVER_KINDS: readonly ServerKind[] = [
  "postgres.fast",
  "postgres.immediate",
  "postgres.kill",
  "rabbitmq.stop",
  "rabbitmq.kill",
  "both.kill",
];
const LINK_KINDS: readonly LinkFault["kind"][] = [
  "link.delay",
  "link.reset",
  "link.refuse",
  "link.mute",
  "link.swallow",
  "link.cut",
  "link.cut",
  "link.reply",
  "link.reply",
];

/** All faults in order of time: a pure function of its options. A longer schedule begins like a shorter one. */
export function scheduleOf(options: ScheduleOptions): Event[] {
  const workers = Array.from({ length: options.workers }, (_, worker) => workerLane(options, worker));
  const links = SERVERS.map((server) => linkLane(options, server));
  const events = [...workers.flat(), ...serverLane(options), ...links.flat()];
  return events.sort((a, b) => a.atMs - b.atMs || (a.lane < b.lane ? -1 : 1));
}

/** One line: what the fault is, without when. */
export function describeFault(fault: Fault): string {
  const { kind, forMs, ...rest } = fault;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return [kind.padEnd(18), ...details, `for ${(forMs / 1_000).toFixed(1)} s`].join("  ");
}

function workerLane(options: ScheduleOptions, worker: number): Event[] {
  const kinds: readonly Fault["kind"][] = ["worker.kill", "worker.kill", "worker.freeze"];
  return lane(options, `worker ${worker}`, { gapMs: [3_000, 18_000] }, kinds, (kind, dice) =>
    kind === "worker.freeze"
      ? { kind, worker, forMs: dice.between(300, options.longestFreezeMs) }
      : { kind: "worker.kill", worker, forMs: dice.between(100, 6_000) },
  );
}

function serverLane(options: ScheduleOptions): Event[] {
  // A broker takes some ten seconds to come back: with shorter gaps nothing else would ever happen.
  return lane(options, "servers", { gapMs: [10_000, 30_000] }, SERVER_KINDS, (kind, dice) => ({
    kind,
    forMs: dice.between(0, 8_000),
  }));
}

function linkLane(options: ScheduleOptions, link: ServerName): Event[] {
  const gapMs = [1_500, 8_000] as const;
  return lane(options, `${link} link`, { gapMs }, LINK_KINDS, (kind, dice): LinkFault => {
    const all = Array.from({ length: options.workers }, (_, worker) => worker);
    const workers = dice.between(0, 1) === 0 ? all : [dice.pick(all)];
    const who = { link, workers };
    switch (kind) {
      case "link.delay":
        return { kind, ...who, delayMs: dice.between(5, 300), forMs: dice.between(1_000, 8_000) };
      case "link.cut": {
        // Most messages are short, a chunk's COPY is a megabyte: any size of cut is as likely as any other.
        const bytes = Math.round(2 ** (dice.between(0, 190) / 10));
        const direction = dice.pick<Direction>(["toServer", "toClient"]);
        return { kind, ...who, direction, bytes, forMs: 8_000 };
      }
      case "link.reply":
        return { kind, ...who, forMs: 8_000 };
      case "link.reset":
        return { kind, ...who, forMs: 0 };
      case "link.mute":
        return { kind, ...who, forMs: dice.between(1_000, 15_000) };
      default:
        return { kind, ...who, forMs: dice.between(500, 8_000) };
    }
  });
}

/** Faults one after the other, each kind as often as it is named: a deck of cards, dealt until it is empty, then shuffled anew. */
function lane<Kind extends string>(
  options: ScheduleOptions,
  name: string,
  timing: { gapMs: readonly [number, number] },
  kinds: readonly Kind[],
  draw: (kind: Kind, dice: Dice) => Fault,
): Event[] {
  const dice = new Dice(options.seed, name);
  const events: Event[] = [];
  let deck: Kind[] = [];
  // The first ones come soon, so that short runs see each lane.
  let atMs = dice.between(500, timing.gapMs[0]);
  while (atMs < options.durationMs) {
    if (deck.length === 0) {
      deck = dice.shuffle(kinds);
    }
    const fault = draw(deck.pop() as Kind, dice);
    events.push({ atMs, lane: name, fault });
    atMs += fault.forMs + dice.between(...timing.gapMs);
  }
  return events;
}

/** Draws from a stream of its own, so that one lane's faults do not depend on another's. */
export class Dice {
  readonly #prng: Prng;

  constructor(seed: number, stream: string) {
    this.#prng = new Prng(seed, ...Buffer.from(stream));
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.#prng.below(high - low + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.#prng.below(items.length)] as T;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.#prng.below(left.length), 1)[0] as T);
  }
}

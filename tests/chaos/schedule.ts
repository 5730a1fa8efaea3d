import { Prng } from "../../etl/world/prng.js";
import type { Direction } from "../harness/proxy.js";

/** What is done to whom. Processes go by their name, e.g. `worker 0`. */
export type Fault =
  /** SIGKILL; a new process takes its place after `forMs`. */
  | { readonly kind: "process.kill"; readonly process: string; readonly forMs: number }
  /** SIGSTOP, and SIGCONT after `forMs`. */
  | { readonly kind: "process.freeze"; readonly process: string; readonly forMs: number }
  /** Cut off from PostgreSQL for `mutedMs`, with work in its hands that it cannot finish, then SIGKILL. */
  | {
      readonly kind: "process.strand";
      readonly process: string;
      readonly mutedMs: number;
      readonly forMs: number;
    }
  /** Servers end, and are started again after `forMs`. */
  | { readonly kind: ServerKind; readonly forMs: number }
  | LinkFault
  | MessageFault;

export type ServerKind =
  | "postgres.fast"
  | "postgres.immediate"
  | "postgres.kill"
  | "rabbitmq.stop"
  | "rabbitmq.kill"
  | "both.kill";

export const SERVERS = ["postgres", "rabbitmq"] as const;
export type ServerName = (typeof SERVERS)[number];

/** On the way between some processes and a server; traps (cut, reply) wait for their moment for at most `forMs`. */
export type LinkFault = {
  readonly link: ServerName;
  readonly processes: readonly string[];
  readonly forMs: number;
} & (
  | { readonly kind: "link.delay"; readonly delayMs: number }
  | { readonly kind: "link.reset" | "link.refuse" | "link.mute" | "link.swallow" | "link.reply" }
  | { readonly kind: "link.cut"; readonly direction: Direction; readonly bytes: number }
);

/** Done to all events on their way into a queue, for `forMs`; or to the queue itself. */
export type MessageFault = {
  readonly kind: MessageKind;
  readonly queue: string;
  readonly forMs: number;
};

export type MessageKind =
  | "message.duplicate"
  | "message.reorder"
  | "message.late"
  | "message.drop"
  | "queue.delete";

/** A fault and the earliest moment for it. Faults of one lane wait for one another; lanes are independent. */
export interface Event {
  readonly atMs: number;
  readonly lane: string;
  readonly fault: Fault;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly processes: readonly { readonly name: string; readonly uses: readonly ServerName[] }[];
  /** Whether processes that use PostgreSQL are stranded too. */
  readonly strands?: boolean;
  /** Of each process, between two of its faults. */
  readonly processGapMs: Span;
  readonly longestFreezeMs: number;
  /** Queues whose events are disturbed. */
  readonly queues?: readonly { readonly name: string; readonly mayLose: boolean }[];
}

/** Least and most, both included. */
type Span = readonly [number, number];

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
const KEEPING_KINDS: readonly MessageKind[] = ["message.duplicate", "message.reorder", "message.late"];
const LOSING_KINDS: readonly MessageKind[] = ["message.drop", "queue.delete"];

/** All faults in order of time: a pure function of its options. A longer schedule begins like a shorter one. */
export function scheduleOf(options: ScheduleOptions): Event[] {
  const events = [
    ...options.processes.flatMap((process) => processLane(options, process)),
    ...serverLane(options),
    ...SERVERS.flatMap((server) => linkLane(options, server)),
    ...messageLane(options),
  ];
  return events.sort((a, b) => a.atMs - b.atMs || (a.lane < b.lane ? -1 : 1));
}

/** One line: what the fault is, without when. */
export function describeFault(fault: Fault): string {
  const { kind, forMs, ...rest } = fault;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return [kind.padEnd(18), ...details, `for ${(forMs / 1_000).toFixed(1)} s`].join("  ");
}

function processLane(
  options: ScheduleOptions,
  { name: process, uses }: ScheduleOptions["processes"][number],
): Event[] {
  const kinds = [
    "process.kill" as const,
    "process.kill" as const,
    "process.freeze" as const,
    ...(options.strands === true && uses.includes("postgres") ? ["process.strand" as const] : []),
  ];
  return lane(options, process, options.processGapMs, kinds, (kind, dice) => {
    switch (kind) {
      case "process.strand":
        return { kind, process, mutedMs: dice.between(500, 4_000), forMs: dice.between(100, 6_000) };
      case "process.freeze":
        return { kind, process, forMs: dice.between(300, options.longestFreezeMs) };
      default:
        return { kind, process, forMs: dice.between(100, 6_000) };
    }
  });
}

function serverLane(options: ScheduleOptions): Event[] {
  // A broker takes some ten seconds to come back: with shorter gaps nothing else would ever happen.
  return lane(options, "servers", [10_000, 30_000], SERVER_KINDS, (kind, dice) => ({
    kind,
    forMs: dice.between(0, 8_000),
  }));
}

function linkLane(options: ScheduleOptions, link: ServerName): Event[] {
  const users = options.processes.filter(({ uses }) => uses.includes(link)).map(({ name }) => name);
  return lane(options, `${link} link`, [1_500, 8_000], LINK_KINDS, (kind, dice): LinkFault => {
    const processes = dice.between(0, 1) === 0 ? users : [dice.pick(users)];
    const who = { link, processes };
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

/** Each queue gets each kind, before any gets one twice. */
function messageLane(options: ScheduleOptions): Event[] {
  const deck = (options.queues ?? []).flatMap(({ name, mayLose }) =>
    [...KEEPING_KINDS, ...(mayLose ? LOSING_KINDS : [])].map((kind) => `${kind} ${name}`),
  );
  return lane(options, "messages", [500, 3_000], deck, (card, dice) => {
    const [kind, queue] = card.split(" ") as [MessageKind, string];
    return { kind, queue, forMs: kind === "queue.delete" ? 0 : dice.between(500, 4_000) };
  });
}

/** Faults one after the other, each kind as often as it is named: a deck of cards, dealt until it is empty, then shuffled anew. */
function lane<Kind extends string>(
  options: ScheduleOptions,
  name: string,
  gapMs: Span,
  kinds: readonly Kind[],
  draw: (kind: Kind, dice: Dice) => Fault,
): Event[] {
  const dice = new Dice(options.seed, name);
  const events: Event[] = [];
  let deck: Kind[] = [];
  // The first ones come soon, so that short runs see each lane.
  let atMs = dice.between(500, gapMs[0]);
  while (atMs < options.durationMs && kinds.length > 0) {
    if (deck.length === 0) {
      deck = dice.shuffle(kinds);
    }
    const fault = draw(deck.pop() as Kind, dice);
    events.push({ atMs, lane: name, fault });
    atMs += fault.forMs + dice.between(...gapMs);
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

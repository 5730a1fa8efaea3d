import { setTimeout as sleep } from "node:timers/promises";
import { COMMIT, PUBLISH, type TcpProxy, type Trap } from "../harness/proxy.js";
import type { WorkerSlot } from "./fleet.js";
import type { Event, Fault, LinkFault, ServerKind, ServerName } from "./schedule.js";
import type { Stack } from "./stack.js";

/** Who faults are done to. */
export interface Targets {
  readonly stack: Stack;
  readonly slots: readonly WorkerSlot[];
  readonly database: string;
}

export interface Tally {
  readonly done: Map<string, number>;
  /** Traps that nobody walked into: their worker was down, or had nothing to say. */
  readonly missed: Map<string, number>;
}

/** Carries out a schedule, lane beside lane, and resolves when the last fault is over. */
export async function inject(
  events: readonly Event[],
  targets: Targets,
  onFault: (event: Event) => void,
): Promise<Tally> {
  const started = Date.now();
  const tally: Tally = { done: new Map(), missed: new Map() };
  const work = async (lane: string) => {
    for (const event of events.filter((each) => each.lane === lane)) {
      await sleep(Math.max(0, started + event.atMs - Date.now()));
      onFault(event);
      const hit = await carryOut(event.fault, targets);
      const counts = hit ? tally.done : tally.missed;
      counts.set(event.fault.kind, (counts.get(event.fault.kind) ?? 0) + 1);
    }
  };
  const lanes = new Set(events.map((event) => event.lane));
  await Promise.all([...lanes].map(work));
  return tally;
}

/** Resolves when the fault is over. @returns whether it took place. */
async function carryOut(fault: Fault, { stack, slots, database }: Targets): Promise<boolean> {
  switch (fault.kind) {
    case "worker.kill": {
      const slot = slots[fault.worker];
      await slot?.kill();
      await sleep(fault.forMs);
      slot?.start(database);
      return true;
    }
    case "worker.freeze": {
      slots[fault.worker]?.freeze();
      await sleep(fault.forMs);
      slots[fault.worker]?.thaw();
      return true;
    }
    case "link.delay":
    case "link.reset":
    case "link.refuse":
    case "link.mute":
    case "link.swallow":
    case "link.cut":
    case "link.reply": {
      const proxies = slots
        .filter((_, number) => fault.workers.includes(number))
        .map((slot) => slot.proxies[fault.link]);
      return disturb(proxies, fault);
    }
    default:
      await endServers(stack, fault.kind);
      await sleep(fault.forMs);
      await stack.up();
      return true;
  }
}

const ENDS: Readonly<Record<ServerKind, readonly [ServerName, NodeJS.Signals][]>> = {
  "postgres.fast": [["postgres", "SIGINT"]],
  "postgres.immediate": [["postgres", "SIGQUIT"]],
  "postgres.kill": [["postgres", "SIGKILL"]],
  "rabbitmq.stop": [["rabbitmq", "SIGTERM"]],
  "rabbitmq.kill": [["rabbitmq", "SIGKILL"]],
  "both.kill": [
    ["postgres", "SIGKILL"],
    ["rabbitmq", "SIGKILL"],
  ],
};

async function endServers(stack: Stack, kind: ServerKind): Promise<void> {
  await Promise.all(ENDS[kind].map(([server, signal]) => stack.end(server, signal)));
}

async function disturb(proxies: readonly TcpProxy[], fault: LinkFault): Promise<boolean> {
  switch (fault.kind) {
    case "link.reset":
      for (const proxy of proxies) {
        proxy.reset();
      }
      return true;
    case "link.cut":
      return springing(
        proxies.map((proxy) => proxy.cutAfter(fault.direction, fault.bytes)),
        fault.forMs,
      );
    case "link.reply": {
      const marker = fault.link === "postgres" ? COMMIT : PUBLISH;
      return springing(
        proxies.map((proxy) => proxy.swallowReplyTo(marker)),
        fault.forMs,
      );
    }
    default:
      for (const proxy of proxies) {
        if (fault.kind === "link.delay") {
          proxy.delay(fault.delayMs);
        } else if (fault.kind === "link.refuse") {
          proxy.refuse();
        } else if (fault.kind === "link.mute") {
          proxy.mute();
        } else {
          proxy.swallow();
        }
      }
      await sleep(fault.forMs);
      for (const proxy of proxies) {
        proxy.pass();
      }
      return true;
  }
}

/** Waits for traps. @returns whether at least one has sprung. */
async function springing(traps: readonly Trap[], withinMs: number): Promise<boolean> {
  await Promise.race([Promise.all(traps.map((trap) => trap.done)), sleep(withinMs)]);
  for (const trap of traps) {
    trap.disarm();
  }
  return traps.some((trap) => trap.sprung);
}

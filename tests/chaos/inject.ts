import { setTimeout as sleep } from "node:timers/promises";
import { COMMIT, type TcpProxy, type Trap } from "../harness/proxy.js";
import type { ProcessSlot } from "./fleet.js";
import type { Event, Fault, LinkFault, MessageFault, ServerKind, ServerName } from "./schedule.js";
import type { Stack } from "./stack.js";

/** Who faults are done to. */
export interface Targets {
  readonly stack: Stack;
  readonly slots: readonly ProcessSlot[];
  /** Resolves when the fault is over, with whether it took place. */
  readonly disturbMessages: (fault: MessageFault) => Promise<boolean>;
}

export interface Tally {
  readonly done: Map<string, number>;
  /** Traps that nobody walked into: their process was down, or had nothing to say. */
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
async function carryOut(fault: Fault, { stack, slots, disturbMessages }: Targets): Promise<boolean> {
  switch (fault.kind) {
    case "process.kill": {
      const slot = slots.find(({ plan }) => plan.name === fault.process);
      await slot?.kill();
      await sleep(fault.forMs);
      slot?.start();
      return true;
    }
    case "process.strand": {
      const slot = slots.find(({ plan }) => plan.name === fault.process);
      slot?.proxies.postgres.mute();
      await sleep(fault.mutedMs);
      await slot?.kill();
      slot?.proxies.postgres.pass();
      await sleep(fault.forMs);
      slot?.start();
      return true;
    }
    case "process.freeze": {
      const slot = slots.find(({ plan }) => plan.name === fault.process);
      slot?.freeze();
      await sleep(fault.forMs);
      slot?.thaw();
      return true;
    }
    case "link.delay":
    case "link.reset":
    case "link.refuse":
    case "link.mute":
    case "link.swallow":
    case "link.cut":
    case "link.reply":
      return disturb(
        slots.filter(({ plan }) => fault.processes.includes(plan.name)),
        fault,
      );
    case "message.duplicate":
    case "message.reorder":
    case "message.late":
    case "message.drop":
    case "queue.delete":
      return disturbMessages(fault);
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

async function disturb(slots: readonly ProcessSlot[], fault: LinkFault): Promise<boolean> {
  const proxies: readonly TcpProxy[] = slots.map((slot) => slot.proxies[fault.link]);
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
    case "link.reply":
      return springing(
        slots.map(({ plan, proxies: { [fault.link]: proxy } }) =>
          proxy.swallowReplyTo(fault.link === "postgres" ? COMMIT : plan.message),
        ),
        fault.forMs,
      );
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

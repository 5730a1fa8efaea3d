import { readdirSync, readFileSync } from "node:fs";
import type { Stack } from "../stack.js";

/** What the kernel counts in: 1/100 s on every Linux that there is. */
const TICK_US = 10_000;

/** Who takes processor time while payments are made. */
export const CONSUMERS = ["node", "rabbitmq", "postgres"] as const;
export type Consumer = (typeof CONSUMERS)[number];
export type ProcessorTime = Readonly<Record<Consumer, number>>;

/** Tells the processor time in µs that the stack's servers and processes of ours have taken so far. */
export async function processorClock(
  stack: Stack,
  pids: () => readonly number[],
): Promise<() => ProcessorTime> {
  const rabbitmq = Number(/\d+/.exec(await stack.rabbitmqctl("eval", "os:getpid()."))?.[0]);
  const { rows } = await stack.admin.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const postmaster = statOf(rows[0]?.pid ?? 0)?.parent ?? 0;
  return () => ({
    node: pids().reduce((sum, pid) => sum + (statOf(pid)?.ownUs ?? 0), 0),
    rabbitmq: statOf(rabbitmq)?.ownUs ?? Number.NaN,
    postgres: withChildren(postmaster),
  });
}

/** Of a process, those of its children that have ended, and those that live. */
function withChildren(pid: number): number {
  const own = statOf(pid);
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === pid);
  return children.reduce(
    (sum, stat) => sum + (stat?.ownUs ?? 0),
    (own?.ownUs ?? 0) + (own?.endedChildrenUs ?? 0),
  );
}

interface Stat {
  readonly parent: number;
  readonly ownUs: number;
  readonly endedChildrenUs: number;
}

/** @returns undefined when there is no such process any more. */
function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the name, which may hold anything: state, parent, …, utime, stime, cutime, cstime as fields 14 to 17 of proc(5).
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const us = (from: number) => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) * TICK_US;
    return { parent: fields[1] ?? 0, ownUs: us(11), endedChildrenUs: us(13) };
  } catch {
    return undefined;
  }
}

/** @returns what was taken between two readings, for each of `count`. */
export function timeEach(before: ProcessorTime, after: ProcessorTime, count: number): ProcessorTime {
  const each = (consumer: Consumer) => Math.round((after[consumer] - before[consumer]) / count);
  return { node: each("node"), rabbitmq: each("rabbitmq"), postgres: each("postgres") };
}

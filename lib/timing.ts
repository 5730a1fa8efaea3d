import { setTimeout as timer } from "node:timers/promises";

/**
 * How long to wait before try number `attempt` (0 is the first retry): anything between nothing and a bound that doubles up to
 * the cap. Full jitter, because all workers lose the broker in the same instant and must not all come back in one.
 */
export function fullJitterMs(
  attempt: number,
  bounds: { baseMs: number; capMs: number },
  random: () => number = Math.random,
): number {
  // 2 ** 1024 is Infinity, which the cap absorbs: an outage may last any number of attempts.
  return random() * Math.min(bounds.capMs, bounds.baseMs * 2 ** attempt);
}

/** Waits, but no longer than until `signal` fires. Never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await timer(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

/** Resolves when `signal` has fired. */
export async function aborted(signal: AbortSignal, forget?: AbortSignal): Promise<void> {
  if (signal.aborted) {
    return;
  }
  const once = { once: true, ...(forget && { signal: forget }) };
  await new Promise((resolve) => signal.addEventListener("abort", resolve, once));
}

/** Resolves when `work` has, or `signal` has fired. The signal may outlive any number of works: nothing is left with it. */
export async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, aborted(signal, over.signal)]);
  } finally {
    over.abort();
  }
}

/** `work`, or what `late` makes of it when it takes longer. The work itself goes on: the caller says what that means. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let clock: NodeJS.Timeout | undefined;
  const bell = new Promise<never>((_, reject) => {
    clock = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, bell]);
  } finally {
    clearTimeout(clock);
  }
}

/** A promise settled from outside, as Promise.withResolvers of Node 22 gives. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

/** The promise may be rejected while nobody waits for it without taking the process down. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

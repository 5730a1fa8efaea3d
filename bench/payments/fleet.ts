import { freePort } from "../free_port.js";
import { MAIN, PlatformProcess } from "../platform_process.js";
import { run } from "../process.js";
import type { Stack } from "../stack.js";

const ONE = [["payments", "fraud", "wallet", "metrics"]] as const;

/** Modules by process, as `payments serve` takes them; none: all services. `worker` is the pipeline's. */
export const LAYOUTS = {
  one: ONE,
  two: [
    ["payments", "metrics"],
    ["wallet", "fraud"],
  ],
  all: [[], ["worker"]],
  /** Beside pg_dump, which begins again when it is through. */
  dump: ONE,
} as const satisfies Record<string, readonly (readonly string[])[]>;
export type Layout = keyof typeof LAYOUTS;

export interface FleetOptions {
  readonly processes: readonly (readonly string[])[];
  /** Where each process leaves its profile when it ends. */
  readonly profileTo?: string | undefined;
  /** Settings besides the stack's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Processes of the platform on the bench's database and vhost. */
export class Fleet {
  readonly #processes: {
    readonly modules: readonly string[];
    readonly process: PlatformProcess;
    readonly url: string;
  }[] = [];

  /** Has a database with customers and their wallets, and an empty vhost, for the length of `work`. */
  static async with<T>(
    stack: Stack,
    { processes, profileTo, env = {} }: FleetOptions,
    work: (fleet: Fleet) => Promise<T>,
  ): Promise<T> {
    const fleet = new Fleet();
    try {
      for (const modules of processes) {
        await fleet.#start(stack, { modules, profileTo, env });
      }
      return await work(fleet);
    } finally {
      await fleet.stop();
    }
  }

  async #start(
    stack: Stack,
    { modules, profileTo, env }: { modules: readonly string[] } & Omit<FleetOptions, "processes">,
  ): Promise<void> {
    const port = await freePort();
    const isWorker = modules[0] === "worker";
    const process = await PlatformProcess.start({
      args: isWorker ? ["worker"] : ["serve", ...modules],
      env: { ...stack.settings, ...env, HTTP_PORT: port },
      isReady: (log) => (isWorker ? log.includes("worker ready") : answersReady(port)),
      nodeArgs: profileTo === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileTo}`],
      signal: stack.signal,
    });
    this.#processes.push({ modules, process, url: `http://127.0.0.1:${port}` });
  }

  get pids(): readonly number[] {
    return this.#processes.map(({ process }) => process.pid);
  }

  /** Of the largest process. */
  get peakMb(): number {
    return Math.max(...this.#processes.map(({ process }) => process.peakMb()));
  }

  /** Of all processes, in their order. */
  get urls(): readonly string[] {
    return this.#processes.map(({ url }) => url);
  }

  /** Where a module answers. */
  urlOf(module: string): string {
    const found = this.#processes.find(({ modules }) => modules.length === 0 || modules.includes(module));
    return found?.url ?? "";
  }

  mustLive(): void {
    for (const { process } of this.#processes) {
      process.mustLive();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map(({ process }) => process.stop()));
  }
}

/** By what an orchestrator asks. */
async function answersReady(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  return answer?.status === 200;
}

/** Makes the bench's database one with 100,000 customers who have wallets. */
export async function seedCustomers(stack: Stack): Promise<void> {
  await run([process.execPath, MAIN, "wallets", "seed"], { env: stack.settings, signal: stack.signal });
  // As autovacuum has it after a minute.
  await stack.psql("VACUUM (ANALYZE) wallet.wallet, wallet.movement;");
  await stack.checkpoint();
}

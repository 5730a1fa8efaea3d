import { join } from "node:path";
import { freePort } from "../free_port.js";
import { PlatformProcess } from "../platform_process.js";
import type { Stack } from "../stack.js";

/** Processes that partners' events go through, the gateway's among them; each may be killed. */
export const CREW = ["collector", "campaigns", "payouts", "gateway-simulator"] as const;
export type Member = (typeof CREW)[number];

/** As bootstrap.sh has it where there is no account; nobody outside of this machine hears of it. */
const WEBHOOK_SECRET = `whsec_${"bench".repeat(8)}`;

export interface CrewOptions {
  /** Share of the gateway's requests that go wrong. */
  readonly failing: number;
}

/** The four of them on the bench's database and vhost, each on a port that it keeps. */
export class Crew {
  /** What all of them, and an audit, have to know of the others. */
  readonly env: Readonly<Record<string, string>>;
  readonly #stack: Stack;
  readonly #ports: Readonly<Record<Member, number>>;
  readonly #processes = new Map<Member, PlatformProcess>();

  private constructor(stack: Stack, ports: Readonly<Record<Member, number>>, { failing }: CrewOptions) {
    const gateway = `http://127.0.0.1:${ports["gateway-simulator"]}`;
    this.#stack = stack;
    this.#ports = ports;
    this.env = {
      STRIPE_API_KEY: "simulated",
      STRIPE_API_BASE: gateway,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      PAYOUTS_BOOK_URL: `${gateway}/book`,
      PAYOUTS_GIVE_UP_S: "5", // it books at once
      SIMULATOR_PORT: String(ports["gateway-simulator"]),
      SIMULATOR_BOOK_PATH: join(stack.dir, "bench", `gateway_book_${process.pid}.ndjson`),
      SIMULATOR_FAILURE_RATE: String(failing),
      SIMULATOR_WEBHOOK_URL: `http://127.0.0.1:${ports.payouts}/pagos/webhooks/stripe`,
      SIMULATOR_WEBHOOK_SECRET: WEBHOOK_SECRET,
    };
  }

  static async with<T>(stack: Stack, options: CrewOptions, work: (crew: Crew) => Promise<T>): Promise<T> {
    const ports = Object.fromEntries(
      await Promise.all(CREW.map(async (member) => [member, await freePort()] as const)),
    ) as Record<Member, number>;
    const crew = new Crew(stack, ports, options);
    try {
      for (const member of CREW) {
        await crew.#start(member);
      }
      return await work(crew);
    } finally {
      await Promise.all([...crew.#processes.values()].map((process) => process.stop()));
    }
  }

  urlOf(member: Member): string {
    return `http://127.0.0.1:${this.#ports[member]}`;
  }

  /** SIGKILL, and another process in its place. Resolves when that one is ready. */
  async replace(member: Member): Promise<void> {
    await this.#processes.get(member)?.kill();
    await this.#start(member);
  }

  mustLive(): void {
    for (const process of this.#processes.values()) {
      process.mustLive();
    }
  }

  async #start(member: Member): Promise<void> {
    const process = await PlatformProcess.start({
      args: ["serve", member],
      env: { ...this.#stack.settings, ...this.env, HTTP_PORT: this.#ports[member] },
      isReady: async () => {
        const answer = await fetch(`${this.urlOf(member)}/readyz`).catch(() => undefined);
        return answer?.status === 200;
      },
      signal: this.#stack.signal,
    });
    this.#processes.set(member, process);
  }
}

import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf, start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { BenchError } from "../errors.js";
import { freePort } from "../free_port.js";
import { PlatformProcess } from "../platform_process.js";
import { until } from "../process.js";
import type { Stack } from "../stack.js";

const HAPROXY = "/usr/sbin/haproxy";
const CONFIG = join(packageRoot, "compose", "haproxy_campaigns.cfg");
const DOOR = join(packageRoot, "dist", "bench", "campaigns", "door.js");
const READY_MS = 30_000;

/** How a node goes away; each resolves with what brings it back. */
export const FAULTS = {
  SIGKILL: (node: CampaignsNode) => node.kill(),
  SIGSTOP: (node: CampaignsNode) => node.signal("SIGSTOP", "SIGCONT"),
  "port closed": (node: CampaignsNode) => node.signal("SIGUSR2", "SIGUSR2"),
} satisfies Record<string, (node: CampaignsNode) => Promise<() => Promise<void>>>;
export type Fault = keyof typeof FAULTS;

/** `payments serve campaigns`, on a port that it keeps. */
export class CampaignsNode {
  readonly port: number;
  readonly #stack: Stack;
  #process: PlatformProcess | undefined;

  private constructor(stack: Stack, port: number) {
    this.#stack = stack;
    this.port = port;
  }

  static async start(stack: Stack): Promise<CampaignsNode> {
    const node = new CampaignsNode(stack, await freePort());
    await node.#start();
    return node;
  }

  /** At once and for good. @returns what brings another process in its place, ready */
  async kill(): Promise<() => Promise<void>> {
    process.kill(this.#process?.pid ?? 0, "SIGKILL");
    await this.#process?.stop();
    return () => this.#start();
  }

  /** @returns what takes it back by another signal */
  async signal(signal: NodeJS.Signals, undo: NodeJS.Signals): Promise<() => Promise<void>> {
    const pid = this.#process?.pid ?? 0;
    process.kill(pid, signal);
    return async () => {
      process.kill(pid, undo);
    };
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async #start(): Promise<void> {
    const ready = () => answers(this.port, "/readyz");
    this.#process = await PlatformProcess.start({
      args: ["serve", "campaigns"],
      env: { ...this.#stack.settings, HTTP_PORT: this.port },
      isReady: ready,
      nodeArgs: ["--import", DOOR],
      signal: this.#stack.signal,
    });
  }
}

/** What HAProxy counted. */
export interface ProxyCounts {
  /** Requests that callers made. */
  readonly requests: number;
  /** Requests that it made of nodes: more, where it asked again. */
  readonly attempts: number;
}

/** Two nodes and HAProxy before them. */
export class Proxied {
  readonly nodes: readonly [CampaignsNode, CampaignsNode];
  readonly port: number;
  readonly #statsPort: number;
  /** Of HAProxy alone. */
  readonly stop: () => Promise<void>;

  private constructor(
    nodes: readonly [CampaignsNode, CampaignsNode],
    ports: { readonly port: number; readonly statsPort: number },
    stop: () => Promise<void>,
  ) {
    this.nodes = nodes;
    this.port = ports.port;
    this.#statsPort = ports.statsPort;
    this.stop = stop;
  }

  /** Has them on the bench's database and vhost for the length of `work`. @throws BenchError BENCH_FAILED without HAProxy */
  static async with<T>(stack: Stack, work: (proxied: Proxied) => Promise<T>): Promise<T> {
    if (!existsSync(HAPROXY)) {
      throw new BenchError("BENCH_FAILED", "HAProxy is not installed.", {
        hint: "scripts/stack.sh up --with-proxy installs it.",
      });
    }
    const nodes: CampaignsNode[] = [];
    let proxied: Proxied | undefined;
    try {
      nodes.push(await CampaignsNode.start(stack));
      nodes.push(await CampaignsNode.start(stack));
      proxied = await Proxied.#start(stack, nodes as unknown as [CampaignsNode, CampaignsNode]);
      return await work(proxied);
    } finally {
      await proxied?.stop();
      await Promise.all(nodes.map((node) => node.stop()));
    }
  }

  static async #start(stack: Stack, nodes: readonly [CampaignsNode, CampaignsNode]): Promise<Proxied> {
    const ports = { port: await freePort(), statsPort: await freePort() };
    const folder = join(stack.dir, "bench");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const stats = join(folder, "haproxy_stats.cfg");
    await writeFile(
      stats,
      `listen stats\n  bind 127.0.0.1:${ports.statsPort}\n  timeout server 5s\n  stats enable\n  stats uri /\n`,
    );
    const child = start([HAPROXY, "-db", "-f", CONFIG, "-f", stats], {
      env: {
        PROXY_ADDRESS: `127.0.0.1:${ports.port}`,
        PROXY_NODE_1: `127.0.0.1:${nodes[0].port}`,
        PROXY_NODE_2: `127.0.0.1:${nodes[1].port}`,
      },
    });
    const output = outputOf(child);
    const ended = once(child, "exit");
    const stop = async () => {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await ended;
      }
    };
    const up = async () => {
      if (child.exitCode !== null) {
        throw new BenchError("BENCH_FAILED", `HAProxy has ended: ${output.stderr.trimEnd()}`);
      }
      return (await answers(ports.port, "/livez")) && (await answers(ports.statsPort, "/;csv"));
    };
    try {
      await until("HAProxy to answer", up, { withinMs: READY_MS, signal: stack.signal });
      return new Proxied(nodes, ports, stop);
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async counts(): Promise<ProxyCounts> {
    const csv = await (await fetch(`http://127.0.0.1:${this.#statsPort}/;csv`)).text();
    const [head = "", ...lines] = csv.replace(/^# /, "").split("\n");
    const names = head.split(",");
    const rows = lines.map((line) =>
      Object.fromEntries(line.split(",").map((value, i) => [names[i], value])),
    );
    const own = rows.filter(({ pxname }) => pxname === "campaigns");
    const sum = (of: typeof own, name: string) =>
      of.reduce((total, row) => total + Number(row[name] ?? 0), 0);
    return {
      requests: sum(
        own.filter(({ svname }) => svname === "FRONTEND"),
        "req_tot",
      ),
      attempts: sum(
        own.filter(({ svname = "" }) => /^\d/.test(svname)),
        "stot",
      ),
    };
  }
}

const answers = (port: number, path: string): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}${path}`).then(
    ({ status }) => status === 200,
    () => false,
  );

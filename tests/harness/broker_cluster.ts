import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "../../lib/process/run.js";
import { eventually } from "./eventually.js";
import { trackChild } from "./leaks.js";

const PROGRAMS = "/usr/lib/rabbitmq/bin";
const SECRET = "cluster";
const PORT = 5_672;
/** As scripts/stack_rabbitmq.sh has it, but for the wait until a node that is not heard is given up. */
const NET_TICK_S = 8;

/** A node of a cluster on a host of its own: a network namespace. */
export class BrokerNode {
  readonly host: string;
  readonly name: string;
  readonly #space: string;
  readonly #folder: string;
  readonly #peers: () => readonly string[];
  #child: ChildProcess | undefined;

  constructor(host: string, space: string, folder: string, peers: () => readonly string[]) {
    this.host = host;
    this.name = `rabbit@${host}`;
    this.#space = space;
    this.#folder = folder;
    this.#peers = peers;
    mkdirSync(folder);
    writeFileSync(join(folder, ".erlang.cookie"), SECRET, { mode: 0o400 });
    writeFileSync(join(folder, "enabled_plugins"), "[rabbitmq_management].\n");
  }

  async start(): Promise<void> {
    const nodes = this.#peers().map(
      (host, n) => `cluster_formation.classic_config.nodes.${n + 1} = rabbit@${host}`,
    );
    const conf = [
      `listeners.tcp.default = ${PORT}`,
      ...["vhost", "user", "pass"].map(
        (what) => `default_${what} = ${what === "pass" ? SECRET : "payments"}`,
      ),
      "cluster_partition_handling = pause_minority",
      "cluster_formation.peer_discovery_backend = classic_config",
      ...nodes,
      "disk_free_limit.absolute = 50MB",
      "vm_memory_high_watermark.absolute = 512MiB",
      "raft.wal_max_size_bytes = 67108864",
      "log.console = false",
    ];
    writeFileSync(join(this.#folder, "rabbitmq.conf"), `${conf.join("\n")}\n`);
    const child = start([...this.#there, `${PROGRAMS}/rabbitmq-server`], {
      env: this.#env,
      cwd: this.#folder,
      stdio: "ignore",
    });
    trackChild(child, this.name);
    this.#child = child;
    await eventually(`${this.name} listens`, () => listens(this.host), { withinMs: 180_000 });
  }

  /** As its machine's power would end it. */
  async kill(): Promise<void> {
    const child = this.#child as ChildProcess;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** It and its peers do not hear one another any more; clients still reach it. */
  partFromPeers(): void {
    for (const peer of this.#peers().filter((host) => host !== this.host)) {
      ip("-n", this.#space, "route", "add", "blackhole", `${peer}/32`);
    }
  }

  /** Nobody reaches it any more, nor is told. */
  partFromAll(): void {
    ip("link", "set", this.#space, "down");
  }

  heal(): void {
    ip("-n", this.#space, "route", "flush", "type", "blackhole");
    ip("link", "set", this.#space, "up");
  }

  /** RabbitMQ's own tool. */
  ctl(...args: string[]): string {
    return execFileSync(
      "env",
      ["-i", ...this.#envList, ...this.#there, `${PROGRAMS}/rabbitmqctl`, "-q", ...args],
      { encoding: "utf8" },
    );
  }

  get #there(): string[] {
    return ["ip", "netns", "exec", this.#space];
  }

  get #env(): Record<string, string> {
    const erlang = `-kernel net_ticktime ${NET_TICK_S} +sbwt none`;
    const none = join(this.#folder, "none");
    return {
      HOME: this.#folder,
      LANG: "C.UTF-8",
      RABBITMQ_NODENAME: this.name,
      RABBITMQ_USE_LONGNAME: "true",
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: erlang,
      RABBITMQ_CTL_ERL_ARGS: erlang,
      RABBITMQ_MNESIA_BASE: join(this.#folder, "mnesia"),
      RABBITMQ_LOG_BASE: join(this.#folder, "log"),
      RABBITMQ_CONFIG_FILE: join(this.#folder, "rabbitmq.conf"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(this.#folder, "enabled_plugins"),
      RABBITMQ_CONFIG_FILES: none,
      RABBITMQ_ADVANCED_CONFIG_FILE: none,
      RABBITMQ_CONF_ENV_FILE: none,
      RUNNING_UNDER_SYSTEMD: "true",
    };
  }

  get #envList(): string[] {
    return Object.entries({ PATH: process.env["PATH"], ...this.#env }).map(
      ([name, value]) => `${name}=${value}`,
    );
  }
}

/** A RabbitMQ of three nodes, each on a host of its own, with networks between that can be cut. Takes root. */
export class BrokerCluster {
  readonly nodes: readonly BrokerNode[];
  readonly #folder = mkdtempSync(join(tmpdir(), "rabbitmq-cluster-"));
  readonly #bridge = `mq${process.pid}`;
  readonly #spaces: readonly string[];

  private constructor() {
    const net = `10.214.${process.pid % 256}`;
    ip("link", "add", this.#bridge, "type", "bridge");
    ip("address", "add", `${net}.1/24`, "dev", this.#bridge);
    ip("link", "set", this.#bridge, "up");
    this.#spaces = [1, 2, 3].map((n) => `${this.#bridge}n${n}`);
    const hosts = [11, 12, 13].map((n) => `${net}.${n}`);
    this.nodes = this.#spaces.map((space, n) => {
      const host = hosts[n] as string;
      ip("netns", "add", space);
      ip("link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space);
      ip("link", "set", space, "master", this.#bridge, "up");
      ip("-n", space, "address", "add", `${host}/24`, "dev", "eth0");
      ip("-n", space, "link", "set", "eth0", "up");
      ip("-n", space, "link", "set", "lo", "up");
      return new BrokerNode(host, space, join(this.#folder, `${n + 1}`), () => hosts);
    });
  }

  /** Resolves when the three are one. */
  static async start(): Promise<BrokerCluster> {
    const cluster = new BrokerCluster();
    try {
      // One after the other: a node joins the one that it finds.
      for (const node of cluster.nodes) {
        await node.start();
      }
      return cluster;
    } catch (error) {
      cluster.close();
      throw error;
    }
  }

  get settings() {
    return {
      RABBITMQ_HOST: this.nodes.map(({ host }) => host).join(),
      RABBITMQ_PORT: String(PORT),
      RABBITMQ_MGMT_PORT: "15672",
      RABBITMQ_USER: "payments",
      RABBITMQ_PASSWORD: SECRET,
      RABBITMQ_VHOST: "payments",
    };
  }

  /** The node that most connections are at. */
  busiest(): BrokerNode {
    const pids = this.nodes[0]?.ctl("list_connections", "pid") ?? "";
    const count = ({ name }: BrokerNode) => pids.split(`<${name}.`).length;
    return this.nodes.reduce((most, node) => (count(node) > count(most) ? node : most));
  }

  close(): void {
    for (const space of this.#spaces) {
      // epmd, too, which outlives its node.
      const pids = ip("netns", "pids", space).split("\n").filter(Boolean);
      for (const pid of pids) {
        try {
          process.kill(Number(pid), "SIGKILL");
        } catch {
          // A node's helpers end with it.
        }
      }
      ip("netns", "delete", space);
    }
    ip("link", "delete", this.#bridge);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function listens(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(PORT, host, () => resolve(true));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

function ip(...args: string[]): string {
  return execFileSync("ip", args, { encoding: "utf8" });
}

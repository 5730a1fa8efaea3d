import { execFileSync } from "node:child_process";

/** A host of a test's own: a network namespace, which only root may make; for anybody else this machine. */
export class Away {
  /** Where its servers listen. */
  readonly host: string;
  /** Another address of the same host. */
  readonly alias: string;
  readonly #name: string | undefined;

  private constructor(host: string, alias: string, name?: string) {
    this.host = host;
    this.alias = alias;
    this.#name = name;
  }

  static open(): Away {
    if (process.getuid?.() !== 0) {
      return new Away("127.0.0.2", "127.0.0.3");
    }
    const name = `pay${process.pid}`;
    const net = `10.213.${process.pid % 256}`;
    const away = new Away(`${net}.2`, `${net}.3`, name);
    ip("netns", "add", name);
    ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("address", "add", `${net}.1/29`, "dev", name);
    ip("link", "set", name, "up");
    for (const host of [away.host, away.alias]) {
      ip("-n", name, "address", "add", `${host}/29`, "dev", "eth0");
    }
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", name, "link", "set", "lo", "up");
    return away;
  }

  /** What runs a command there. */
  get prefix(): string[] {
    return this.#name === undefined ? [] : ["ip", "netns", "exec", this.#name];
  }

  close(): void {
    if (this.#name !== undefined) {
      ip("netns", "delete", this.#name);
    }
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf, start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { eventually } from "./eventually.js";
import { freePort } from "./free_port.js";
import { trackChild } from "./leaks.js";

/** Debian's package, which scripts/test.sh installs. */
const HAPROXY = "/usr/sbin/haproxy";

/** A file in compose/, and its name for the address at which it answers. */
const CONFIGS = {
  split: { file: "haproxy_split.cfg", address: "SPLIT_ADDRESS" },
  campaigns: { file: "haproxy_campaigns.cfg", address: "PROXY_ADDRESS" },
} as const;

export interface Gateway {
  /** Where it answers. */
  readonly url: string;
  /** What it has said: which process it takes for dead, among other things. */
  readonly said: () => string;
  /** At once, whoever is connected. */
  readonly close: () => Promise<void>;
}

/**
 * HAProxy in front of services.
 *
 * @param ports of the processes, by the names that the file has for them; where one is not given nobody listens
 */
export async function openGateway(
  ports: Readonly<Record<string, number>>,
  config: keyof typeof CONFIGS = "split",
): Promise<Gateway> {
  const [port, nobody] = [await freePort(), await freePort()];
  const path = join(packageRoot, "compose", CONFIGS[config].file);
  const given: typeof ports = { [CONFIGS[config].address]: port, ...ports };
  const names = [...readFileSync(path, "utf8").matchAll(/"\$\{(\w+_(?:\d|ADDRESS))\}"/g)].map(
    ([, name = ""]) => name,
  );
  return open(
    port,
    path,
    Object.fromEntries(names.map((name) => [name, `127.0.0.1:${given[name] ?? nobody}`])),
  );
}

/**
 * The door of the services in containers. What it asks the containers' DNS for is given: a name that no container has is a port where
 * nobody listens.
 *
 * @param ports of the containers that there are, by name
 */
export async function openDoor(ports: Readonly<Record<string, number>>): Promise<Gateway> {
  const [port, nobody] = [await freePort(), await freePort()];
  const config = readFileSync(join(packageRoot, "compose", "haproxy.cfg"), "utf8")
    .replace(/^resolvers docker\n(?: .*\n)+/m, "")
    .replace(" init-addr none resolvers docker", "")
    .replace("bind :8080", `bind 127.0.0.1:${port}`)
    .replace(/^frontend campaigns-node-.*?(?=^# A service's)/ms, "")
    .replaceAll(
      /server-template (\S+)- \d (\w+):8080/g,
      (_, name: string, container: string) => `server ${name} 127.0.0.1:${ports[container] ?? nobody}`,
    );
  const folder = mkdtempSync(join(tmpdir(), "payments-haproxy-"));
  const file = join(folder, "haproxy.cfg");
  writeFileSync(file, config);
  const gateway = await open(port, file, { GATEWAY_KEY: "key" });
  rmSync(folder, { recursive: true });
  return gateway;
}

async function open(port: number, config: string, env: Readonly<Record<string, string>>): Promise<Gateway> {
  const child = start([HAPROXY, "-db", "-f", config], { env });
  trackChild(child, "haproxy");
  const output = outputOf(child);
  const ended = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  await eventually("HAProxy answers", async () => {
    if (child.exitCode !== null) {
      throw new Error(`HAProxy ended with ${child.exitCode}: ${output.stderr}`);
    }
    return (await fetch(`${url}/livez`).catch(() => undefined)) !== undefined;
  });
  return {
    url,
    said: () => output.stdout + output.stderr,
    close: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

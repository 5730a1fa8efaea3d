import { once } from "node:events";
import { join } from "node:path";
import { outputOf, start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { eventually } from "./eventually.js";
import { freePort } from "./free_port.js";
import { trackChild } from "./leaks.js";

/** Debian's package, which scripts/test.sh installs. */
const HAPROXY = "/usr/sbin/haproxy";
const CONFIG = join(packageRoot, "compose", "haproxy_split.cfg");

export interface Gateway {
  /** Where it answers. */
  readonly url: string;
  /** At once, whoever is connected. */
  readonly close: () => Promise<void>;
}

/** HAProxy in front of services. @param ports of the processes, by the names that compose/haproxy_split.cfg has for them */
export async function openGateway(ports: Readonly<Record<string, number>>): Promise<Gateway> {
  const port = await freePort();
  const addresses = Object.entries({ SPLIT_ADDRESS: port, ...ports }).map(([name, at]) => [
    name,
    `127.0.0.1:${at}`,
  ]);
  const child = start([HAPROXY, "-db", "-f", CONFIG], { env: Object.fromEntries(addresses) });
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
    close: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

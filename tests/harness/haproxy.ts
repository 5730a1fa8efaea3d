import { once } from "node:events";
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

/** HAProxy in front of services. @param ports of the processes, by the names that the file has for them */
export async function openGateway(
  ports: Readonly<Record<string, number>>,
  config: keyof typeof CONFIGS = "split",
): Promise<Gateway> {
  const port = await freePort();
  const { file, address } = CONFIGS[config];
  const addresses = Object.entries({ [address]: port, ...ports }).map(([name, at]) => [
    name,
    `127.0.0.1:${at}`,
  ]);
  const child = start([HAPROXY, "-db", "-f", join(packageRoot, "compose", file)], {
    env: Object.fromEntries(addresses),
  });
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

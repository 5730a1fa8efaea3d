import { dial, nodesOf } from "../../../lib/broker/dial.js";
import { askManagement } from "../../../lib/broker/management.js";
import { type CoreCode, CoreError } from "../../../lib/core_errors.js";
import { messageOf, PlatformError } from "../../../lib/errors.js";
import { placeText } from "../../../lib/places.js";
import type { BrokerAddress } from "../../../lib/settings/base.js";

/** More would not fit a line. */
const QUEUES_NAMED = 3;

interface Node {
  readonly name: string;
  readonly running: boolean;
  /** Those that it had lost from sight and has not joined again. */
  readonly partitions?: readonly string[];
}

interface Queue {
  readonly name: string;
  readonly type?: string;
  readonly members?: readonly string[];
  readonly online?: readonly string[];
}

/** Each node of RABBITMQ_HOST is to let us in: the next failover must find somebody there. */
export async function nodesUp(address: BrokerAddress): Promise<string> {
  const all = nodesOf(address);
  const names = all.map((node) => placeText({ host: node.RABBITMQ_HOST, port: node.RABBITMQ_PORT }));
  if (all.length === 1) {
    return `at ${names.join()}`;
  }
  const links = await Promise.allSettled(all.map((node) => dial(node, "payments-doctor")));
  await Promise.all(links.map((each) => each.status === "fulfilled" && each.value.close()));
  const named = names
    .map((name, n) => `${name} ${links[n]?.status === "fulfilled" ? "up" : "FAIL"}`)
    .join(", ");
  const failure = links.find((each) => each.status === "rejected")?.reason;
  if (failure instanceof PlatformError) {
    throw new CoreError(failure.code as CoreCode, `${named}: ${failure.message}`, { hint: failure.hint });
  }
  return named;
}

/** What the nodes say of one another. @throws Error when one is away or apart, or a queue has not a member on each. */
export async function clusterWhole(address: BrokerAddress): Promise<string> {
  const hosts = new Map(nodesOf(address).map((node) => [node.RABBITMQ_HOST, node]));
  let reason: unknown;
  for (const node of hosts.values()) {
    try {
      return await wholeBy(node);
    } catch (error) {
      if (error instanceof Lacking) {
        throw error;
      }
      reason = error;
    }
  }
  // A user without the tag monitoring, or a broker without the plugin, may be as they are.
  return `not told: ${messageOf(reason)}; it takes RABBITMQ_MGMT_PORT and a user with the tag monitoring`;
}

class Lacking extends Error {}

async function wholeBy(node: BrokerAddress): Promise<string> {
  const nodes = await askManagement<Node[]>(node, "nodes");
  const apart = [
    ...nodes.filter(({ running }) => !running).map(({ name }) => `node ${name} is not running`),
    ...nodes.flatMap(({ name, partitions = [] }) =>
      partitions.map((other) => `${name} has lost ${other} in a partition`),
    ),
  ];
  // Queues are not asked for then: each would ask the node that is away, which takes seconds.
  if (apart.length > 0) {
    throw new Lacking(
      `${apart.join("; ")}. Start it, or mend the network; the others go on while they are a majority.`,
    );
  }
  const queues = await askManagement<Queue[]>(node, `queues/${encodeURIComponent(node.RABBITMQ_VHOST)}`);
  const quorum = queues.filter(({ type }) => type === "quorum");
  const lacking = quorum.filter(({ online = [] }) => online.length < nodes.length);
  if (lacking.length > 0) {
    const named = lacking
      .slice(0, QUEUES_NAMED)
      .map(
        ({ name, members = [], online = [] }) => `${name} (${online.length} of ${members.length} members)`,
      );
    const others = lacking.length > QUEUES_NAMED ? ` and ${lacking.length - QUEUES_NAMED} more` : "";
    throw new Lacking(
      `${lacking.length} queues are not on all ${nodes.length} nodes: ${named.join(", ")}${others}. Where a member lacks: rabbitmq-queues grow NODE all.`,
    );
  }
  return `${nodes.map(({ name }) => name).join(", ")}; no partition; ${quorum.length} queues, each on all of them`;
}

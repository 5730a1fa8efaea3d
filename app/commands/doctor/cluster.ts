import { dial, nodesOf } from "../../../lib/broker/dial.js";
import { askManagement } from "../../../lib/broker/management.js";
import { type CoreCode, CoreError } from "../../../lib/core_errors.js";
import { messageOf, PlatformError } from "../../../lib/errors.js";
import { placeText } from "../../../lib/postgres/places.js";
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
  const told = await askAny(address);
  if (typeof told === "string") {
    return told;
  }
  const { nodes, queues } = told;
  const quorum = queues.filter(({ type }) => type === "quorum");
  const lacking = quorum.filter(({ online = [] }) => online.length < nodes.length);
  const faults = [
    ...nodes.filter(({ running }) => !running).map(({ name }) => `node ${name} is not running`),
    ...nodes.flatMap(({ name, partitions = [] }) =>
      partitions.map((other) => `${name} has lost ${other} in a partition`),
    ),
  ];
  if (lacking.length > 0) {
    const named = lacking
      .slice(0, QUEUES_NAMED)
      .map(
        ({ name, members = [], online = [] }) => `${name} (${online.length} of ${members.length} members)`,
      );
    const others = lacking.length > QUEUES_NAMED ? ` and ${lacking.length - QUEUES_NAMED} more` : "";
    faults.push(
      `${lacking.length} queues are not on all ${nodes.length} nodes: ${named.join(", ")}${others}`,
    );
  }
  if (faults.length > 0) {
    throw new Error(
      `${faults.join("; ")}. Start the node; a queue without a member there: rabbitmq-queues grow NODE all.`,
    );
  }
  return `${nodes.map(({ name }) => name).join(", ")}; no partition; ${quorum.length} queues, each on all of them`;
}

/** @returns a text when no node tells: a user without the tag monitoring, or a broker without the plugin, may be as they are. */
async function askAny(address: BrokerAddress): Promise<{ nodes: Node[]; queues: Queue[] } | string> {
  let reason: unknown;
  const hosts = new Map(nodesOf(address).map((node) => [node.RABBITMQ_HOST, node]));
  for (const node of hosts.values()) {
    try {
      const nodes = await askManagement<Node[]>(node, "nodes");
      const vhost = encodeURIComponent(address.RABBITMQ_VHOST);
      return { nodes, queues: await askManagement<Queue[]>(node, `queues/${vhost}`) };
    } catch (error) {
      reason = error;
    }
  }
  return `not told: ${messageOf(reason)}; it takes RABBITMQ_MGMT_PORT and a user with the tag monitoring`;
}

import { connect } from "amqplib";
import { type CoreCode, CoreError } from "../core_errors.js";
import type { PlatformError } from "../errors.js";
import { placesOf } from "../places.js";
import type { Place } from "../probe.js";
import { waitingMends } from "../retry.js";
import type { BrokerAddress } from "../settings/base.js";
import { tlsOptions } from "../tls.js";
import { ClosedByUs, Link } from "./link.js";
import { refusal } from "./refusal.js";

const CONNECT_TIMEOUT_MS = 5_000;
/** A machine that is gone, or a node that is frozen, does not even refuse: the next node is tried after this. */
const NEXT_NODE_MS = 3_000;

interface Nodes {
  readonly places: readonly [Place, ...Place[]];
  /** The one that answered last; all connections of the process begin there. */
  first: number;
}
const lists = new Map<string, Nodes>();

/** The nodes of RABBITMQ_HOST, each as an address of its own. */
export function nodesOf(address: BrokerAddress): readonly BrokerAddress[] {
  return placesOf({ host: address.RABBITMQ_HOST, port: address.RABBITMQ_PORT }).map(({ host, port }) => ({
    ...address,
    RABBITMQ_HOST: host,
    RABBITMQ_PORT: port,
  }));
}

/**
 * Connects to a node of RABBITMQ_HOST: to the one that answered last, else to the next one that takes us. A process begins anywhere in
 * the list, so that many processes are spread over the nodes.
 *
 * @param signal ends the search
 * @throws PlatformError RABBITMQ_*, NOT_RABBITMQ: see refusal.ts; SETTINGS_INVALID when the authorities cannot be read.
 */
export async function dial(address: BrokerAddress, name: string, signal?: AbortSignal): Promise<Link> {
  const list = listOf(address);
  const nodes = nodesOf(address);
  const refusals: Array<readonly [node: BrokerAddress, error: unknown]> = [];
  const begin = list.first;
  for (let tried = 0; tried < nodes.length && signal?.aborted !== true; tried++) {
    const at = (begin + tried) % nodes.length;
    const node = nodes[at] as BrokerAddress;
    try {
      const link = await dialNode(node, name, nodes.length > 1 ? NEXT_NODE_MS : CONNECT_TIMEOUT_MS);
      list.first = at;
      // A node that dropped us is about to end, frozen, or apart from the others: they are asked before it.
      void link.ended.then((reason) => reason instanceof ClosedByUs || passOver(list, at));
      return link;
    } catch (error) {
      refusals.push([node, error]);
    }
  }
  throw await explain(refusals);
}

function listOf(address: BrokerAddress): Nodes {
  const { RABBITMQ_HOST: host, RABBITMQ_PORT: port } = address;
  const key = `${host} ${port}`;
  const places = placesOf({ host, port });
  const list = lists.get(key) ?? { places, first: Math.floor(Math.random() * places.length) };
  lists.set(key, list);
  return list;
}

function passOver(list: Nodes, at: number): void {
  if (list.first === at) {
    list.first = (at + 1) % list.places.length;
  }
}

async function dialNode(node: BrokerAddress, name: string, timeout: number): Promise<Link> {
  const tls = tlsOptions(node.RABBITMQ_SSLMODE, node.RABBITMQ_SSLROOTCERT, node.RABBITMQ_HOST);
  const target = {
    protocol: tls === false ? "amqp" : "amqps",
    hostname: node.RABBITMQ_HOST,
    port: node.RABBITMQ_PORT,
    username: node.RABBITMQ_USER,
    password: node.RABBITMQ_PASSWORD,
    // amqplib unescapes the vhost, but nothing else, even when it isn't in a URL.
    vhost: encodeURIComponent(node.RABBITMQ_VHOST),
    heartbeat: node.RABBITMQ_HEARTBEAT_S,
  };
  const socket = {
    timeout,
    // Our frames are small and each is waited for: Nagle's algorithm would add up to 40 ms to every one.
    noDelay: true,
    clientProperties: { connection_name: name },
    ...tls,
  };
  return new Link(await connect(target, socket));
}

/** Why no node took us; of several, why each did not. */
async function explain(refusals: ReadonlyArray<readonly [BrokerAddress, unknown]>): Promise<PlatformError> {
  const all = await Promise.all(refusals.map(([node, error]) => refusal(error, node)));
  // Where one may come back, waiting may help, whatever the others say.
  const told = all.find(waitingMends) ?? all[0] ?? new CoreError("INTERRUPTED", "Nobody was asked.");
  if (all.length < 2) {
    return told;
  }
  const message = `${all.map((each) => each.message.replace(/\.$/, "")).join("; ")}.`;
  return new CoreError(told.code as CoreCode, message, { hint: told.hint, cause: told });
}

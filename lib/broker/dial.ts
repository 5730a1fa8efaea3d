import { connect } from "amqplib";
import type { BrokerAddress } from "../settings/base.js";
import { tlsOptions } from "../tls.js";
import { Link } from "./link.js";
import { refusal } from "./refusal.js";

const CONNECT_TIMEOUT_MS = 5_000;

/** One attempt to connect. @throws PlatformError RABBITMQ_*, NOT_RABBITMQ: see refusal.ts. */
export async function dial(address: BrokerAddress, name: string): Promise<Link> {
  const tls = tlsOptions(address.RABBITMQ_SSLMODE, address.RABBITMQ_SSLROOTCERT, address.RABBITMQ_HOST);
  const target = {
    protocol: tls === false ? "amqp" : "amqps",
    hostname: address.RABBITMQ_HOST,
    port: address.RABBITMQ_PORT,
    username: address.RABBITMQ_USER,
    password: address.RABBITMQ_PASSWORD,
    // amqplib unescapes the vhost, but nothing else, even when it isn't in a URL.
    vhost: encodeURIComponent(address.RABBITMQ_VHOST),
    heartbeat: address.RABBITMQ_HEARTBEAT_S,
  };
  const socket = {
    timeout: CONNECT_TIMEOUT_MS,
    // Our frames are small and each is waited for: Nagle's algorithm would add up to 40 ms to every one.
    noDelay: true,
    clientProperties: { connection_name: name },
    ...tls,
  };
  try {
    return new Link(await connect(target, socket));
  } catch (error) {
    throw await refusal(error, address);
  }
}

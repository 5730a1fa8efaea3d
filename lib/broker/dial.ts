import { connect } from "amqplib";
import { messageOf, PlatformError } from "../errors.js";
import type { Settings } from "../settings/schema.js";
import { Link } from "./link.js";

export type BrokerAddress = Pick<
  Settings,
  | "RABBITMQ_HOST"
  | "RABBITMQ_PORT"
  | "RABBITMQ_USER"
  | "RABBITMQ_PASSWORD"
  | "RABBITMQ_VHOST"
  | "RABBITMQ_HEARTBEAT_S"
>;

const CONNECT_TIMEOUT_MS = 5_000;

/** One attempt to connect. @throws PlatformError RABBITMQ_UNREACHABLE, RABBITMQ_AUTH */
export async function dial(address: BrokerAddress, name: string): Promise<Link> {
  const target = {
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
  };
  try {
    return new Link(await connect(target, socket));
  } catch (error) {
    throw refusal(error, address);
  }
}

/** The handshake's failures carry no code, only text; checked against amqplib 2.3 by the integration tests. */
function refusal(cause: unknown, address: BrokerAddress): PlatformError {
  const where = `${address.RABBITMQ_HOST}:${address.RABBITMQ_PORT}`;
  const text = messageOf(cause);
  if (text.includes("403 (ACCESS-REFUSED)")) {
    return new PlatformError(
      "RABBITMQ_AUTH",
      `RabbitMQ at ${where} refused user "${address.RABBITMQ_USER}".`,
      { hint: "Check RABBITMQ_USER and RABBITMQ_PASSWORD.", cause },
    );
  }
  if (text.startsWith("Expected ConnectionOpenOk; got <ConnectionClose")) {
    return new PlatformError(
      "RABBITMQ_AUTH",
      `RabbitMQ at ${where} refused user "${address.RABBITMQ_USER}" the vhost "${address.RABBITMQ_VHOST}".`,
      { hint: "Check RABBITMQ_VHOST, and that the user has permissions on it.", cause },
    );
  }
  return new PlatformError("RABBITMQ_UNREACHABLE", `No RabbitMQ answers at ${where}: ${text}.`, {
    hint: "Check RABBITMQ_HOST and RABBITMQ_PORT, and that the broker runs.",
    cause,
  });
}

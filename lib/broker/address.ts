import type { Settings } from "../settings/base.js";

/** Where the broker is, and as whom we come. */
export type BrokerAddress = Pick<
  Settings,
  | "RABBITMQ_HOST"
  | "RABBITMQ_PORT"
  | "RABBITMQ_USER"
  | "RABBITMQ_PASSWORD"
  | "RABBITMQ_VHOST"
  | "RABBITMQ_HEARTBEAT_S"
  | "RABBITMQ_SSLMODE"
  | "RABBITMQ_SSLROOTCERT"
>;

export type Server = "PostgreSQL" | "RabbitMQ";

/** Which server an outage's code tells of. What goes wrong with RabbitMQ has a name of ours; all else is the driver's. */
export function serverAway(code: string): Server {
  return /^(RABBITMQ|PUBLISH)_/.test(code) ? "RabbitMQ" : "PostgreSQL";
}

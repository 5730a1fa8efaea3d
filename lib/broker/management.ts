import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import type { BrokerAddress } from "../settings/base.js";
import { tlsOptions } from "../tls.js";

/** It asks the other nodes, of which one may be away. */
const ANSWER_MS = 10_000;

/**
 * Asks RabbitMQ's management API. It speaks TLS where AMQP does, as with managed brokers.
 *
 * @param node one node, as of nodesOf
 * @param path e.g. `nodes`
 * @throws Error when it does not answer, or does not let us ask.
 */
export function askManagement<T>(node: BrokerAddress, path: string): Promise<T> {
  const { RABBITMQ_HOST: host, RABBITMQ_MGMT_PORT: port, RABBITMQ_USER, RABBITMQ_PASSWORD } = node;
  const tls = tlsOptions(node.RABBITMQ_SSLMODE, node.RABBITMQ_SSLROOTCERT, host);
  const request = tls === false ? plainRequest : tlsRequest;
  const options = {
    ...{ host, port, path: `/api/${path}`, auth: `${RABBITMQ_USER}:${RABBITMQ_PASSWORD}` },
    ...{ signal: AbortSignal.timeout(ANSWER_MS), agent: false },
    ...tls,
  };
  return new Promise((resolve, reject) => {
    const asked = request(options, async (response) => {
      try {
        const pieces: Buffer[] = [];
        for await (const piece of response) {
          pieces.push(piece as Buffer);
        }
        if (response.statusCode !== 200) {
          throw new Error(`the management API at ${host}:${port} answers ${response.statusCode}`);
        }
        resolve(JSON.parse(Buffer.concat(pieces).toString()) as T);
      } catch (error) {
        reject(error);
      }
    });
    asked.on("error", reject);
    asked.end();
  });
}

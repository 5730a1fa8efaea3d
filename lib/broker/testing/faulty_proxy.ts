import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { BrokerAddress } from "../dial.js";
import { address } from "./lab.js";

/** A network between client and broker that fails on request. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ client: Socket; broker: Socket }>();
  /** Connections taken so far. */
  taken = 0;
  /** New connections are closed at once, as by a host without a broker. */
  away = false;
  #silent = false;

  static async open(): Promise<FaultyProxy> {
    const proxy = new FaultyProxy();
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor() {
    this.#server = createServer((client) => this.#join(client));
  }

  get address(): BrokerAddress {
    const { port } = this.#server.address() as AddressInfo;
    return { ...address, RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: port };
  }

  /** Connections open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Cuts all connections, without a goodbye to either side. */
  cut(): void {
    for (const { client, broker } of this.#pairs) {
      client.resetAndDestroy();
      broker.resetAndDestroy();
    }
  }

  /** Connected, but what the client says no longer reaches the broker. */
  mute(): void {
    for (const { client, broker } of this.#pairs) client.unpipe(broker).resume();
  }

  /** New connections are taken and never answered. */
  swallow(): void {
    this.#silent = true;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    this.taken += 1;
    if (this.away) {
      client.destroy();
      return;
    }
    const broker = connect(address.RABBITMQ_PORT, address.RABBITMQ_HOST);
    const pair = { client, broker };
    this.#pairs.add(pair);
    for (const socket of [client, broker]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        client.destroy();
        broker.destroy();
      });
    }
    if (this.#silent) return;
    client.pipe(broker);
    broker.pipe(client);
  }
}

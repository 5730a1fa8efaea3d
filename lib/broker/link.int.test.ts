import { afterEach, describe, expect, it, vi } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { testSettings } from "../../tests/harness/settings.js";
import { silentLogger } from "../observability/log.js";
import type { BrokerAddress } from "../settings/base.js";
import { BrokerConnection, type ConnectPolicy } from "./connection.js";
import { dial } from "./dial.js";

const settings = testSettings();
const broker = () => ({ host: settings.RABBITMQ_HOST, port: settings.RABBITMQ_PORT });
const through = (proxy: TcpProxy) => ({ ...settings, RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: proxy.port });

vi.setConfig({ testTimeout: 30_000 });

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function openProxy(): Promise<TcpProxy> {
  const proxy = await TcpProxy.open(broker);
  cleanups.push(() => proxy.close());
  return proxy;
}

function openConnection(
  to: Partial<BrokerAddress>,
  connectPolicy: ConnectPolicy,
  setUp = async () => "ready",
) {
  const options = {
    address: { ...settings, ...to },
    name: "test",
    logger: silentLogger,
    connectPolicy,
    setUp,
  };
  const connection = new BrokerConnection(options);
  cleanups.push(() => connection.close());
  return connection;
}

describe("refused", () => {
  it.each<[string, Partial<BrokerAddress>]>([
    ["a wrong password", { RABBITMQ_PASSWORD: "wrong" }],
    ["an unknown user", { RABBITMQ_USER: "nobody" }],
    ["an unknown vhost", { RABBITMQ_VHOST: "no/such%vhost" }],
    ["a vhost without permissions", { RABBITMQ_VHOST: "/" }],
  ])("%s is RABBITMQ_AUTH, also for those who would wait", async (_, wrong) => {
    await expect(openConnection(wrong, "forever").up()).rejects.toMatchObject({ code: "RABBITMQ_AUTH" });
  });
});

describe("unreachable", () => {
  it.each<[string, Partial<BrokerAddress>]>([
    ["a port nobody listens on", { RABBITMQ_PORT: 1 }],
    ["a host that doesn't exist", { RABBITMQ_HOST: "broker.invalid" }],
  ])("%s fails a command quickly", async (_, wrong) => {
    const started = Date.now();
    await expect(openConnection(wrong, "once").up()).rejects.toMatchObject({ code: "RABBITMQ_UNREACHABLE" });
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it("a peer that takes the connection and says nothing times out", async () => {
    const proxy = await openProxy();
    proxy.mute();
    await expect(dial(through(proxy), "test")).rejects.toMatchObject({ code: "RABBITMQ_UNREACHABLE" });
  });

  it("a worker waits, and closing ends the wait at once", async () => {
    const proxy = await openProxy();
    proxy.mute();
    const connection = openConnection(through(proxy), "forever");
    await eventually("the first attempt", () => proxy.taken > 0);
    const started = Date.now();
    await connection.close();
    expect(Date.now() - started).toBeLessThan(1_000);
    await expect(connection.up()).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("lost", () => {
  it("comes back after a cut, with a new session", async () => {
    const proxy = await openProxy();
    let sessions = 0;
    const connection = openConnection(through(proxy), "once", async () => `session ${++sessions}`);
    expect(await connection.up()).toBe("session 1");
    proxy.reset();
    expect(await eventually("a second session", async () => sessions === 2 && connection.up())).toBe(
      "session 2",
    );
  });

  it("comes back when it is cut while its set-up waits for something else", async () => {
    const proxy = await openProxy();
    const waiting = new Promise<string>(() => undefined);
    const setUps: Array<Promise<string>> = [waiting, Promise.resolve("ready")];
    const connection = openConnection(through(proxy), "forever", () => setUps.shift() ?? waiting);
    await eventually("the first set-up", () => setUps.length === 1);
    proxy.reset();
    expect(await connection.up()).toBe("ready");
  });

  it("hangs up on a peer that no longer answers", async () => {
    const proxy = await openProxy();
    const link = await dial(through(proxy), "test");
    await link.openChannel();
    proxy.silence(["toServer"]);
    await link.close();
    expect(link.over.aborted).toBe(true);
    await eventually("the socket's end", () => proxy.givenUp === 1);
  });
});

import { afterEach, describe, expect, it, vi } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { silentLogger } from "../observability/log.js";
import { BrokerConnection, type Patience } from "./connection.js";
import { type BrokerAddress, dial } from "./dial.js";
import { FaultyProxy } from "./testing/faulty_proxy.js";
import { address } from "./testing/lab.js";

vi.setConfig({ testTimeout: 30_000 });

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function openProxy(): Promise<FaultyProxy> {
  const proxy = await FaultyProxy.open();
  cleanups.push(() => proxy.close());
  return proxy;
}

function openConnection(to: Partial<BrokerAddress>, patience: Patience, setUp = async () => "ready") {
  const options = { address: { ...address, ...to }, name: "test", logger: silentLogger, patience, setUp };
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
    proxy.swallow();
    await expect(dial(proxy.address, "test")).rejects.toMatchObject({ code: "RABBITMQ_UNREACHABLE" });
  });

  it("a worker waits, and closing ends the wait at once", async () => {
    const proxy = await openProxy();
    proxy.swallow();
    const connection = openConnection(proxy.address, "forever");
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
    const connection = openConnection(proxy.address, "once", async () => `session ${++sessions}`);
    expect(await connection.up()).toBe("session 1");
    proxy.cut();
    expect(await eventually("a second session", async () => sessions === 2 && connection.up())).toBe(
      "session 2",
    );
  });

  it("comes back when it is cut while its set-up waits for something else", async () => {
    const proxy = await openProxy();
    const waiting = new Promise<string>(() => undefined);
    const setUps: Array<Promise<string>> = [waiting, Promise.resolve("ready")];
    const connection = openConnection(proxy.address, "forever", () => setUps.shift() ?? waiting);
    await eventually("the first set-up", () => setUps.length === 1);
    proxy.cut();
    expect(await connection.up()).toBe("ready");
  });

  it("hangs up on a peer that no longer answers", async () => {
    const proxy = await openProxy();
    const link = await dial(proxy.address, "test");
    await link.openChannel();
    proxy.mute();
    await link.close();
    expect(link.over.aborted).toBe(true);
    await eventually("the socket's end", () => proxy.open === 0);
  });
});

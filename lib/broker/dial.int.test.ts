import { afterEach, describe, expect, it, vi } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { testSettings } from "../../tests/harness/settings.js";
import { silentLogger } from "../observability/log.js";
import { BrokerConnection, type ConnectPolicy } from "./connection.js";
import { dial } from "./dial.js";
import type { Link } from "./link.js";

const settings = testSettings();
const broker = () => ({ host: settings.RABBITMQ_HOST, port: settings.RABBITMQ_PORT });
/** Nobody listens there. */
const DEAD = "127.0.0.1:1";

vi.setConfig({ testTimeout: 30_000 });

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

/** Two nodes, of which a process begins with the first. */
async function twoNodes() {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const nodes = [await TcpProxy.open(broker), await TcpProxy.open(broker)] as const;
  cleanups.push(...nodes.map((node) => () => node.close()));
  return { nodes, address: listOf(...nodes.map(({ port }) => `127.0.0.1:${port}`)) };
}

const listOf = (...places: string[]) => ({ ...settings, RABBITMQ_HOST: places.join(",") });

async function dialled(address: typeof settings): Promise<Link> {
  const link = await dial(address, "test");
  cleanups.push(() => link.close());
  return link;
}

function connection(
  address: typeof settings,
  connectPolicy: ConnectPolicy,
  setUp: (link: Link) => Promise<unknown> = (link) => link.openChannel(),
) {
  const made = new BrokerConnection({ address, name: "test", logger: silentLogger, connectPolicy, setUp });
  cleanups.push(() => made.close());
  return made;
}

describe("the next node", () => {
  it.each(["refuses", "is frozen"])("is asked where one %s, and first the next time", async (how) => {
    const { nodes, address } = await twoNodes();
    how === "refuses" ? nodes[0].refuse() : nodes[0].mute();
    const begun = performance.now();
    await dialled(address);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await dialled(address);
    expect(nodes.map(({ taken }) => taken)).toEqual([1, 2]);
  });

  it("is asked first after a connection was lost, not after we closed one", async () => {
    const { nodes, address } = await twoNodes();
    await (await dialled(address)).close();
    const link = await dialled(address);
    expect(nodes.map(({ taken }) => taken)).toEqual([2, 0]);
    nodes[0].reset();
    await link.ended;
    await dialled(address);
    expect(nodes.map(({ taken }) => taken)).toEqual([2, 1]);
  });

  it("takes over a connection that hears nothing more", async () => {
    const { nodes, address } = await twoNodes();
    const made = connection({ ...address, RABBITMQ_HEARTBEAT_S: 1 }, "forever");
    await made.up();
    nodes[0].mute();
    await eventually("the other node", () => nodes[1].taken > 0, { withinMs: 10_000 });
    await made.up();
    expect(nodes[0].taken).toBe(1);
  });

  it.each<ConnectPolicy>(["once", "forever"])(
    "is asked where one takes us but cannot serve, by those who connect %s",
    async (policy) => {
      const { nodes, address } = await twoNodes();
      const made = connection(address, policy, async (link) => {
        if (nodes[1].taken === 0) {
          throw new Error("apart from the others");
        }
        return link.openChannel();
      });
      await made.up();
      expect(nodes.map(({ taken }) => taken)).toEqual([1, 1]);
    },
  );

  it("is not there: a command fails at once, and each node is named in one line", async () => {
    const none = connection(listOf(DEAD, "127.0.0.1:2"), "once").up();
    await expect(none).rejects.toMatchObject({
      code: "RABBITMQ_UNREACHABLE",
      message: expect.stringMatching(
        /^nobody listens at 127\.0\.0\.1:[12] .*; nobody listens at 127\.0\.0\.1:[12] .*\.$/,
      ),
    });
  });

  it("may come back where another refuses for good", async () => {
    const address = { ...listOf(DEAD, `${broker().host}:${broker().port}`), RABBITMQ_PASSWORD: "wrong" };
    await expect(dial(address, "test")).rejects.toMatchObject({
      code: "RABBITMQ_UNREACHABLE",
      message: expect.stringContaining("ACCESS_REFUSED"),
    });
  });

  it("a host without a port has RABBITMQ_PORT", async () => {
    await dialled({ ...listOf(DEAD, broker().host), RABBITMQ_PORT: broker().port });
  });
});

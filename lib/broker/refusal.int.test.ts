import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createVhost, dropVhost } from "../../tests/harness/broker.js";
import { selfSigned } from "../../tests/harness/certificate.js";
import { rabbitmqctl } from "../../tests/harness/servers.js";
import { testSettings } from "../../tests/harness/settings.js";
import { waitingMends } from "../retry.js";
import type { BrokerAddress } from "../settings/base.js";
import { dial } from "./dial.js";

const settings = testSettings();

const folder = mkdtempSync(join(tmpdir(), "broker-tls-"));
const { key, cert } = selfSigned(folder);
afterAll(() => rmSync(folder, { recursive: true }));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

async function listening(server: Server): Promise<number> {
  servers.push(server.listen(0));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The broker behind TLS. */
function terminator(): Promise<number> {
  const options = { key: readFileSync(key), cert: readFileSync(cert) };
  return listening(
    createTlsServer(options, (socket) => {
      const broker = connect(settings.RABBITMQ_PORT, settings.RABBITMQ_HOST);
      for (const end of [socket, broker] as Socket[]) {
        end.on("error", () => undefined);
      }
      socket.pipe(broker).pipe(socket);
    }),
  );
}

function speaking(text: string): Promise<number> {
  return listening(
    createServer((socket) => {
      socket.on("error", () => undefined);
      socket.resume().end(text);
    }),
  );
}

async function refusalOf(changes: Partial<BrokerAddress>): Promise<unknown> {
  try {
    const link = await dial({ ...settings, ...changes }, "test");
    await link.close();
    return undefined;
  } catch (error) {
    return error;
  }
}

async function expectRefusal(changes: Partial<BrokerAddress>, code: string, says: string, waits: boolean) {
  const refusal = await refusalOf(changes);
  expect(refusal).toMatchObject({ code });
  expect(String(refusal)).toContain(says);
  expect(waitingMends(refusal)).toBe(waits);
}

describe("in the broker's own words", () => {
  it.each<[string, Partial<BrokerAddress>, string]>([
    ["a wrong password", { RABBITMQ_PASSWORD: "wrong" }, "ACCESS_REFUSED"],
    ["no password", { RABBITMQ_PASSWORD: "" }, "no password is set"],
    ["an unknown vhost", { RABBITMQ_VHOST: "nowhere" }, "vhost nowhere not found"],
  ])("%s", (_, changes, says) => expectRefusal(changes, "RABBITMQ_AUTH", says, false));

  it("a vhost without permissions, and one that may have no more connections", async () => {
    const vhost = "refusal";
    await createVhost(testSettings(), vhost);
    try {
      await rabbitmqctl("set_vhost_limits", "-p", vhost, '{"max-connections":0}');
      await expectRefusal({ RABBITMQ_VHOST: vhost }, "RABBITMQ_EXHAUSTED", "connection limit (0)", true);
      await rabbitmqctl("clear_permissions", "-p", vhost, settings.RABBITMQ_USER);
      await rabbitmqctl("clear_vhost_limits", "-p", vhost);
      await expectRefusal({ RABBITMQ_VHOST: vhost }, "RABBITMQ_AUTH", "access to vhost", false);
    } finally {
      await dropVhost(testSettings(), vhost);
    }
  });
});

describe("TLS", () => {
  it("is spoken where it is wanted, and trusted only in the host's name", async () => {
    const port = { RABBITMQ_PORT: await terminator() };
    const full = { ...port, RABBITMQ_SSLMODE: "verify-full" as const };
    expect(await refusalOf({ ...port, RABBITMQ_SSLMODE: "require" })).toBeUndefined();
    expect(
      await refusalOf({ ...full, RABBITMQ_HOST: "localhost", RABBITMQ_SSLROOTCERT: cert }),
    ).toBeUndefined();
    await expectRefusal(full, "RABBITMQ_TLS", "self-signed", false);
    await expectRefusal({ ...full, RABBITMQ_SSLROOTCERT: cert }, "RABBITMQ_TLS", "127.0.0.1", false);
    await expectRefusal(
      { ...port, RABBITMQ_SSLMODE: "require", RABBITMQ_PASSWORD: "x" },
      "RABBITMQ_AUTH",
      "",
      false,
    );
  });

  it("on one side only is said", async () => {
    await expectRefusal({ RABBITMQ_SSLMODE: "require" }, "RABBITMQ_TLS", "no TLS on this port", false);
    await expectRefusal({ RABBITMQ_PORT: await terminator() }, "RABBITMQ_TLS", "speaks TLS", false);
  });
});

describe("a port", () => {
  it("that speaks something else, or an AMQP that we do not", async () => {
    for (const text of ["SSH-2.0-OpenSSH_9\r\n", "AMQP\0\x01\0\0"]) {
      await expectRefusal({ RABBITMQ_PORT: await speaking(text) }, "NOT_RABBITMQ", "AMQP 0-9-1", false);
    }
  });

  it("that says nothing, nobody listens at, or whose host is not known: may come yet", async () => {
    await expectRefusal(
      { RABBITMQ_PORT: await speaking("") },
      "RABBITMQ_UNREACHABLE",
      "does not answer",
      true,
    );
    await expectRefusal({ RABBITMQ_PORT: 1 }, "RABBITMQ_UNREACHABLE", "nobody listens", true);
    await expectRefusal({ RABBITMQ_HOST: "nowhere.invalid" }, "RABBITMQ_UNREACHABLE", "not known", true);
  });
});

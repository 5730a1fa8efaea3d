import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { dropQueues, take, testFamily } from "../../tests/harness/broker.js";
import { authority, certified } from "../../tests/harness/certificate.js";
import { freePort } from "../../tests/harness/free_port.js";
import { payments } from "../../tests/harness/process.js";
import { rabbitmqctl } from "../../tests/harness/servers.js";
import { testSettings } from "../../tests/harness/settings.js";
import { silentLogger } from "../observability/log.js";
import { Publisher } from "./publisher.js";

const HOST = "localhost";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const settings = testSettings();
const folder = mkdtempSync(join(tmpdir(), "rabbitmq-tls-"));
let port: number;
let ca: string;
let otherCa: string;

/** RabbitMQ's own TLS, at one more port of the running node. */
beforeAll(async () => {
  chmodSync(folder, 0o755);
  const ours = authority(folder);
  [ca, otherCa] = [ours.cert, authority(folder, "other").cert];
  const { key, cert } = certified(folder, ours, `DNS:${HOST}`);
  // The node's user reads it.
  chmodSync(key, 0o644);
  port = await freePort();
  const options = `[{cacertfile, "${ca}"}, {certfile, "${cert}"}, {keyfile, "${key}"}, {verify, verify_none}]`;
  await rabbitmqctl(
    "eval",
    `rabbit_networking:ensure_ssl(), ok = rabbit_networking:start_ssl_listener({"127.0.0.1", ${port}}, ${options}, 1).`,
  );
});
afterAll(async () => {
  await rabbitmqctl("eval", `rabbit_networking:stop_tcp_listener({"127.0.0.1", ${port}}).`);
  rmSync(folder, { recursive: true });
});

/** With TLS as a managed broker wants it, and what a test changes. */
const secured = (changes: Record<string, string> = {}) =>
  testSettings({
    RABBITMQ_HOST: HOST,
    RABBITMQ_PORT: String(port),
    RABBITMQ_SSLMODE: "verify-full",
    RABBITMQ_SSLROOTCERT: ca,
    ...changes,
  });

/** What a command says, which is all on one line. */
async function line(changes: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await payments({ ...secured(changes), LOG_LEVEL: "fatal" }, "dlq", "list");
  expect({ code, stdout, lines: stderr.trim().split("\n").length }).toEqual({
    code: 1,
    stdout: "",
    lines: 1,
  });
  return stderr;
}

it("a message goes out by TLS to a node of a list, whose authority and name are checked", async () => {
  const family = testFamily();
  const address = secured({ RABBITMQ_HOST: `127.0.0.1:1,${HOST}` });
  const name = "tls";
  const publisher = new Publisher({
    address,
    name,
    logger: silentLogger,
    connectPolicy: "once",
    families: [family],
  });
  try {
    await publisher.publish(family.work, "sealed");
    expect((await take(settings, family.work)).content.toString()).toBe("sealed");
    expect(await rabbitmqctl("list_connections", "port", "ssl")).toContain(`${port}\ttrue`);
  } finally {
    await publisher.close();
    await dropQueues(settings, family);
  }
});

it.each<[string, () => Record<string, string>, RegExp]>([
  ["another authority", () => ({ RABBITMQ_SSLROOTCERT: otherCa }), /RABBITMQ_TLS: .*RABBITMQ_SSLROOTCERT/],
  ["no authority of ours", () => ({ RABBITMQ_SSLROOTCERT: "" }), /RABBITMQ_TLS: .*RABBITMQ_SSLROOTCERT/],
  ["another name", () => ({ RABBITMQ_HOST: "127.0.0.1" }), /RABBITMQ_TLS: .*(ALTNAME|altnames)/],
  [
    "a plain port",
    () => ({ RABBITMQ_PORT: String(settings.RABBITMQ_PORT) }),
    /RABBITMQ_TLS: .*speaks no TLS/,
  ],
  ["a port of TLS without TLS", () => ({ RABBITMQ_SSLMODE: "disable" }), /RABBITMQ_TLS: .*speaks TLS/],
  ["a wrong password", () => ({ RABBITMQ_PASSWORD: "wrong" }), /RABBITMQ_AUTH: .*ACCESS_REFUSED/],
  [
    "all nodes of a list",
    () => ({ RABBITMQ_HOST: "127.0.0.1,localhost:1" }),
    /RABBITMQ_UNREACHABLE: .*no TLS.*; .*|RABBITMQ_UNREACHABLE: .*; no TLS/,
  ],
])("%s is refused in one line with a code", async (_, changes, says) => {
  expect(await line(changes())).toMatch(says);
});

it("verify-ca takes the host by another name, require anybody", async () => {
  const name = { RABBITMQ_HOST: "127.0.0.1" };
  for (const changes of [
    { ...name, RABBITMQ_SSLMODE: "verify-ca" },
    { ...name, RABBITMQ_SSLMODE: "require", RABBITMQ_SSLROOTCERT: otherCa },
  ]) {
    expect((await payments(secured(changes), "dlq", "list")).stderr).toBe("");
  }
});

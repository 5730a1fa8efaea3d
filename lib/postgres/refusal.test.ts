import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort } from "../../tests/harness/free_port.js";
import { CoreError } from "../core_errors.js";
import { waitingMends } from "../retry.js";
import { baseSettings } from "../settings/base.js";
import { loadSettings } from "../settings/settings.js";
import { connect, createPool, reasonOf } from "./pool.js";
import { explain } from "./refusal.js";

const target = {
  host: "db",
  port: 5432,
  user: "payments_loader",
  database: "payments",
  tls: "disable",
} as const;
const withCode = (code: string) => Object.assign(new Error("the server's words"), { code });

describe("explain", () => {
  it.each<[code: string, kind: string | undefined, waits: boolean]>([
    ["28P01", "POSTGRES_AUTH", false],
    ["28000", "POSTGRES_AUTH", false],
    ["3D000", "POSTGRES_AUTH", false],
    ["42501", "POSTGRES_AUTH", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "POSTGRES_TLS", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "POSTGRES_TLS", false],
    ["CERT_HAS_EXPIRED", "POSTGRES_TLS", false],
    ["25006", "POSTGRES_READ_ONLY", true],
    ["53300", "POSTGRES_EXHAUSTED", true],
    ["53100", "POSTGRES_EXHAUSTED", true],
    ["53400", "POSTGRES_EXHAUSTED", true],
    ["53200", "POSTGRES_EXHAUSTED", true],
    ["57P03", "POSTGRES_UNREACHABLE", true],
    ["57P01", "POSTGRES_UNREACHABLE", true],
    ["08P01", "POSTGRES_UNREACHABLE", true],
    ["ECONNREFUSED", "POSTGRES_UNREACHABLE", true],
    ["ENOTFOUND", "POSTGRES_UNREACHABLE", true],
    ["EAI_AGAIN", "POSTGRES_UNREACHABLE", true],
    ["ETIMEDOUT", "POSTGRES_UNREACHABLE", true],
    ["EHOSTUNREACH", "POSTGRES_UNREACHABLE", true],
    ["42P01", undefined, false],
    ["23505", undefined, false],
    ["toString", undefined, false],
  ])("%s is %s; a worker that starts waits: %s", (code, kind, waits) => {
    const explained = explain(withCode(code), target);
    expect(explained?.code).toBe(kind);
    if (explained === undefined) {
      return;
    }
    expect(waitingMends(explained)).toBe(waits);
    expect(explained.hint).toMatch(/\.$/);
    expect(String(explained)).toContain("the server's words");
    expect(String(explained)).toContain(code);
  });
});

it("the reason for the log says what the server lacks, and of any other error what it says itself", async () => {
  const env = { POSTGRES_HOST: "db1,db2:5433", POSTGRES_PORT: "5999", POSTGRES_PASSWORD: "x" };
  const pool = createPool(loadSettings([baseSettings], { env, envFile: "/dev/null" }));
  expect(reasonOf(pool, withCode("53100"))).toBe(
    "the disk of PostgreSQL at db1:5999,db2:5433 is full (the server's words; 53100). Make room there; what waits goes on by itself.",
  );
  expect(reasonOf(pool, withCode("23505"))).toBe("the server's words");
  const ours = new CoreError("POSTGRES_UNREACHABLE", "it is gone.", { hint: "Look for it." });
  expect(reasonOf(pool, ours)).toBe("it is gone. Look for it.");
  await pool.end();
});

it("the reason names the place that refused", async () => {
  const unbound = [await freePort(), await freePort()];
  const env = { POSTGRES_HOST: unbound.map((port) => `127.0.0.1:${port}`).join(","), POSTGRES_PASSWORD: "x" };
  const pool = createPool(loadSettings([baseSettings], { env, envFile: "/dev/null" }));
  const refusal: unknown = await pool.query("SELECT 1").catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "ECONNREFUSED" });
  expect(reasonOf(pool, refusal)).toMatch(
    new RegExp(
      `^nobody listens at 127\\.0\\.0\\.1:(${unbound.join("|")}) \\(connect ECONNREFUSED 127\\.0\\.0\\.1:\\1\\)\\.`,
    ),
  );
  await pool.end();
});

/** Connects to a server that answers whatever it is told with `answer`, and then hangs up. */
async function refusalBy(answer: Buffer | string, sslmode = "disable") {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = String((server.address() as AddressInfo).port);
  const env = { POSTGRES_PORT: port, POSTGRES_PASSWORD: "x", POSTGRES_SSLMODE: sslmode };
  const pool = createPool(loadSettings([baseSettings], { env, envFile: "/dev/null" }));
  try {
    return await connect(pool).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    await pool.end();
    server.close();
  }
}

function errorResponse(code: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Msome words\0\0`);
  const head = Buffer.from("E\0\0\0\0");
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

describe("who answers", () => {
  it.each<[string, Buffer | string, string, string, boolean]>([
    ["a server that starts", errorResponse("57P03"), "disable", "POSTGRES_UNREACHABLE", true],
    ["a pooler that refuses", errorResponse("08P01"), "disable", "POSTGRES_UNREACHABLE", true],
    ["nobody", "", "disable", "POSTGRES_UNREACHABLE", true],
    ["another protocol", "SSH-2.0-OpenSSH_9\r\n", "disable", "NOT_POSTGRES", false],
    ["another protocol, asked for TLS", "HTTP/1.1 400 Bad Request\r\n", "require", "NOT_POSTGRES", false],
    ["a server without TLS", "N", "require", "POSTGRES_TLS", false],
  ])("%s", async (_, answer, sslmode, code, waits) => {
    const refusal = await refusalBy(answer, sslmode);
    expect(refusal).toMatchObject({ code });
    expect(waitingMends(refusal)).toBe(waits);
  });

  it("nobody, where there is no socket in the folder", async () => {
    const env = { POSTGRES_HOST: "/nonexistent", POSTGRES_PORT: "5999", POSTGRES_PASSWORD: "x" };
    const pool = createPool(loadSettings([baseSettings], { env, envFile: "/dev/null" }));
    await expect(connect(pool)).rejects.toMatchObject({
      code: "POSTGRES_UNREACHABLE",
      message: expect.stringContaining("nobody listens at /nonexistent/.s.PGSQL.5999 (connect ENOENT"),
    });
    await pool.end();
  });
});

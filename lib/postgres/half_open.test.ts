import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cutConnections } from "./half_open.js";
import { createPool } from "./pool.js";

/** A server that takes connections and never says a word. */
const taken = new Set<Socket>();
const silent = createServer((socket) => taken.add(socket.on("error", () => undefined)));
beforeAll(() => once(silent.listen(0, "127.0.0.1"), "listening"));
afterAll(() => {
  for (const socket of taken) {
    socket.destroy();
  }
  silent.close();
});

it("whoever waits for a connection that is cut while it is opened hears of it, and the pool ends", async () => {
  const { port } = silent.address() as AddressInfo;
  const at = { host: "127.0.0.1", port, database: "payments", user: "payments_loader", password: "" };
  const pool = createPool({ ...at, tls: "disable", rootCert: "" });
  const asked = expect(pool.query("SELECT 1")).rejects.toMatchObject({ code: "POSTGRES_UNREACHABLE" });
  await once(silent, "connection");
  cutConnections(pool);
  await asked;
  await pool.end();
});

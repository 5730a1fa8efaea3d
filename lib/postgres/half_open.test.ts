import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { cutConnections } from "./half_open.js";
import { createPool } from "./pool.js";

it("whoever waits for a connection that is cut while it is opened hears of it, and the pool ends", async () => {
  const taken = new Set<Socket>();
  const silent = createServer((socket) => taken.add(socket.on("error", () => undefined))).listen(
    0,
    "127.0.0.1",
  );
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const pool = createPool({
    host: "127.0.0.1",
    port,
    database: "payments",
    user: "payments_loader",
    password: "",
    tls: "disable",
    rootCert: "",
  });
  const asked = expect(pool.query("SELECT 1")).rejects.toMatchObject({ code: "POSTGRES_UNREACHABLE" });
  await once(silent, "connection");
  // Where those are meant that the server has already: it is to be given up as one that is at work.
  cutConnections(pool);
  await asked;
  await pool.end();
  for (const socket of taken) {
    socket.destroy();
  }
  silent.close();
});

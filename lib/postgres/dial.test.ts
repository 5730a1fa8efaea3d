import pg from "pg";
import { describe, expect, it } from "vitest";
import { CoreError } from "../core_errors.js";
import { waitingMends } from "../retry.js";
import { Dialler } from "./dial.js";
import { harden } from "./pool.js";

const at = {
  port: 5432,
  user: "payments_loader",
  database: "payments",
  tls: "disable",
  rootCert: "",
} as const;

/** What is told when each host answers so: as a standby, or with that code. */
async function told(answers: Readonly<Record<string, "standby" | string>>) {
  const dialler = new Dialler({ ...at, host: Object.keys(answers).join() });
  let last: unknown;
  for (const [host, answer] of Object.entries(answers)) {
    const prepare = async () => {
      if (answer !== "standby") {
        throw Object.assign(new Error(`${host}'s words`), { code: answer });
      }
      return { standby: true };
    };
    last = await dialler.accept({ host, port: at.port } as pg.Client, prepare).catch((error) => error);
  }
  return dialler.explain(last);
}

describe("of several hosts that refused", () => {
  it.each([
    ["that is full", { db1: "standby", db2: "53300" }, "POSTGRES_EXHAUSTED", true],
    ["that is full, and comes first", { db2: "53300", db1: "standby" }, "POSTGRES_EXHAUSTED", true],
    ["whose certificate ran out", { db1: "standby", db2: "CERT_HAS_EXPIRED" }, "POSTGRES_TLS", false],
    ["that lets nobody in", { db2: "28000", db1: "standby" }, "POSTGRES_AUTH", false],
    ["that is away", { db1: "standby", db2: "ECONNREFUSED" }, "POSTGRES_UNREACHABLE", true],
  ])("a primary %s is what is told, and no standby is to be promoted", async (_, answers, code, waits) => {
    const error = await told(answers);
    expect(error).toMatchObject({ code, hint: expect.not.stringContaining("promote") });
    expect(error.message).toMatch(/db1:5432 is a standby/);
    expect(error.message).toMatch(/db2/);
    expect(waitingMends(error)).toBe(waits);
  });

  it("one is to be promoted where each is a standby", async () => {
    const error = await told({ db1: "standby", db2: "standby" });
    expect(error).toMatchObject({ code: "POSTGRES_READ_ONLY", hint: expect.stringContaining("promote") });
    expect(waitingMends(error)).toBe(true);
  });
});

it("a pool's single query hears what all of them said, not the last one only", async () => {
  const standby = new CoreError("POSTGRES_READ_ONLY", "db1 is a standby.");
  const pool = new pg.Pool();
  pool.query = () => Promise.reject(standby);
  harden(pool, {
    explain: async (error) => new CoreError("POSTGRES_EXHAUSTED", "all of it", { cause: error }),
    stateOf: () => undefined,
  });
  await expect(pool.query("SELECT")).rejects.toMatchObject({ code: "POSTGRES_EXHAUSTED", cause: standby });
});

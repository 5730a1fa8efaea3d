import { expect, test } from "vitest";
import { testSettings } from "../../tests/harness/settings.js";
import { connect, createPool, type Pool, transaction } from "./pool.js";
import { withPool } from "./with_pool.js";

/** Nobody listens there. */
const DEAD = "127.0.0.1:1";
const LIVE = `127.0.0.1:${process.env["POSTGRES_PORT"]}`;

const settings = (host: string) => testSettings({ POSTGRES_HOST: host });
const pidOf = async (pool: Pool) =>
  (await pool.query("SELECT pg_backend_pid() AS pid")).rows[0]?.pid as number;

test.each([`${DEAD},${LIVE}`, `${LIVE},${DEAD}`, `${DEAD},${DEAD},${LIVE}`])(
  "of %s the one that is there is found",
  async (host) => {
    const work = async (pool: Pool) => {
      // Single queries and connections, more at once than the pool has.
      const pids = await Promise.all(Array.from({ length: 8 }, () => pidOf(pool)));
      (await connect(pool)).release();
      return new Set(pids).size;
    };
    expect(await withPool(settings(host), { max: 2 }, work)).toBeLessThanOrEqual(2);
  },
);

test("where nobody is there, each is named in one line", async () => {
  const away = withPool(settings(`${DEAD},127.0.0.1:2`), {}, pidOf);
  await expect(away).rejects.toMatchObject({
    code: "POSTGRES_UNREACHABLE",
    message: expect.stringMatching(
      /^nobody listens at 127\.0\.0\.1:1 .*; nobody listens at 127\.0\.0\.1:2 .*\.$/,
    ),
  });
});

test("a connection that takes no changes is thrown away, another kind of failure is not", async () => {
  const pool = createPool(settings(LIVE), { max: 1 });
  try {
    const pid = await pidOf(pool);
    await expect(transaction(pool, (tx) => tx.query("SELECT 1/0"))).rejects.toMatchObject({ code: "22012" });
    expect(await pidOf(pool)).toBe(pid);
    const refused = transaction(pool, async (tx) => {
      await tx.query("SET TRANSACTION READ ONLY");
      await tx.query("CREATE SCHEMA nowhere");
    });
    await expect(refused).rejects.toMatchObject({ code: "25006" });
    expect(await pidOf(pool)).not.toBe(pid);
  } finally {
    await pool.end();
  }
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { Platform } from "../../tests/harness/platform.js";
import { copyAtOnce, copyLine } from "./copy_lines.js";
import { transaction } from "./pool.js";

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.create();
});
afterAll(async () => {
  await platform?.close();
});

const TABLE =
  "CREATE TEMPORARY TABLE copied (n bigint, at timestamptz, text text CHECK (text <> 'refused')) ON COMMIT DROP";

test("what is copied at once is there as it was, whatever is in it", async () => {
  const text = "a\tb\\n\r\nü\u2028\\N";
  const at = new Date(1_700_000_000_123);
  const rows = await transaction(platform.pool, async (tx) => {
    await tx.query(TABLE);
    await copyAtOnce(tx, "copied", copyLine([2n ** 60n, at, text]) + copyLine([null, null, ""]));
    return (await tx.query("SELECT n::text, at, text FROM copied")).rows;
  });
  expect(rows).toEqual([
    { n: String(2n ** 60n), at, text },
    { n: null, at: null, text: "" },
  ]);
});

test.each([
  ["a value that a constraint refuses", "copied", copyLine([1, null, "refused"]), "23514"],
  ["a value of another type", "copied", copyLine(["x", null, null]), "22P02"],
  ["a table that is not there", "nowhere", copyLine([1]), "42P01"],
  [
    "more than the server takes in one piece before it refuses",
    "copied",
    copyLine(["x", null, "y".repeat(5_000_000)]),
    "22P02",
  ],
])("%s is the copy's error, and its session goes on", async (_, table, lines, code) => {
  const client = await platform.pool.connect();
  try {
    await client.query("BEGIN");
    await client.query(TABLE);
    await expect(copyAtOnce(client, table, lines)).rejects.toMatchObject({ code });
    await client.query("ROLLBACK");
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  } finally {
    client.release();
  }
});

import { afterEach, expect, it } from "vitest";
import { specOf } from "../../tests/oracle/chunk.js";
import { chunkOf, planRun } from "../plan.js";
import { type AnswerKey, ChunkGenerator } from "./generator.js";
import { ChunkSource } from "./source.js";

const source = new ChunkSource();
afterEach(() => source.close());

/** What a generator on this thread gives, in one piece. */
function directly(spec: ReturnType<typeof specOf>, chunkNo: number): Uint8Array {
  const generator = new ChunkGenerator(spec, chunkOf(planRun(spec), spec, chunkNo));
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let bytes = generator.fill(buffer); bytes > 0; bytes = generator.fill(buffer)) {
    parts.push(buffer.slice(0, bytes));
  }
  return Buffer.concat(parts);
}

it("gives chunks of any size, one after another and side by side, as a generator on this thread does", async () => {
  const spec = specOf({ rows: 9_000, toOn: "2025-03-01", chunkRows: 3_000 });
  const drain = async (chunkNo: number) => {
    const keys: AnswerKey[] = [];
    const parts: Buffer[] = [];
    for await (const buffer of source.stream(spec, chunkNo, (key) => keys.push(key))) {
      parts.push(Buffer.from(buffer));
    }
    const { fromRow, toRow } = chunkOf(planRun(spec), spec, chunkNo);
    expect(keys.map((key) => key.rows)).toEqual([toRow - fromRow]);
    return Buffer.concat(parts);
  };
  for (const pair of [
    [0, 1],
    [1, 0],
  ] as const) {
    const got = await Promise.all(pair.map(drain));
    expect(got.map((bytes, i) => bytes.equals(directly(spec, pair[i] ?? 0)))).toEqual([true, true]);
  }
});

// A socket says of a short buffer that it wants more before it has sent it.
it("leaves a short last buffer alone when the next is asked for", async () => {
  const spec = specOf({ rows: 20 });
  const kept: Uint8Array[] = [];
  for await (const buffer of source.stream(spec, 0, () => undefined)) {
    kept.push(buffer);
  }
  expect(Buffer.concat(kept).equals(directly(spec, 0))).toBe(true);
});

import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { Client } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import { COPY_COLUMNS } from "../generate/encoder.js";
import type { AnswerKey } from "../generate/generator.js";
import type { ChunkSource } from "../generate/source.js";
import type { Reached } from "../point.js";
import type { PlannedSpec } from "../spec.js";

export interface ChunkCopy {
  /** A table of the shape staging.txn_shape. */
  readonly table: string;
  readonly spec: PlannedSpec;
  readonly chunkNo: number;
  readonly source: Pick<ChunkSource, "stream">;
  readonly reached?: Reached | undefined;
}

/** Generates a chunk into a table. */
export async function copyChunk(
  client: Client,
  { table, spec, chunkNo, source, reached }: ChunkCopy,
): Promise<{ rows: number; bytes: number; key: AnswerKey }> {
  await reached?.("stage: before copy");
  let key: AnswerKey | undefined;
  let bytes = 0;
  const stream = source.stream(spec, chunkNo, (answer) => {
    key = answer;
  });
  const counted = async function* () {
    for await (const buffer of stream) {
      bytes += buffer.length;
      yield buffer;
      await reached?.("stage: in copy");
    }
  };
  const columns = COPY_COLUMNS.join(", ");
  const copy = client.query(copyFrom(`COPY ${quoteName(table)} (${columns}) FROM STDIN (FORMAT binary)`));
  await pipeline(counted, copy);
  await reached?.("stage: after copy");
  if (key === undefined) {
    throw new Error("the generator ended without an answer key");
  }
  return { rows: copy.rowCount, bytes, key };
}

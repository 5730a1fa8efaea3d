import { z } from "zod";

const table = z.strictObject({
  table: z.string(),
  /** First day, for a month of txn. */
  month: z.string().nullable(),
  rows: z.number().int(),
  /** As `payments verify` prints it for a month; HIDDEN when row security keeps rows from whoever read it. */
  digest: z.string(),
});

const common = {
  version: z.literal(1),
  id: z.string(),
  database: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** The server's, e.g. `15.20`. */
  server: z.string(),
  serverVersionNum: z.number().int(),
  tool: z.string(),
  /** Of all files but the manifest and the sums. */
  bytes: z.number().int(),
  /** Backups that lay in the folder already though their time is later: clocks go wrong. Left out when there were none. */
  madeAfter: z.array(z.string()).optional(),
};

/** What belongs to a database as a whole. */
const properties = z.strictObject({
  server: common.server,
  serverVersionNum: common.serverVersionNum,
  /** Where the write-ahead log stood when the snapshot was taken. */
  lsn: z.string(),
  databaseBytes: z.number(),
  /** Of the pipeline's last migration. */
  schemaVersion: z.number().int(),
  collate: z.string(),
  ctype: z.string(),
  /** `name=value`, of the database as a whole. */
  settings: z.array(z.string()),
  /** The same of single roles in this database. */
  roleSettings: z.array(z.strictObject({ role: z.string(), settings: z.array(z.string()) })).optional(),
  grants: z.array(
    z.strictObject({ role: z.string(), privilege: z.string(), grantable: z.boolean().optional() }),
  ),
  connectionLimit: z.number().int().optional(),
  comment: z.string().nullable().optional(),
  /** Those that only a superuser may install. */
  extensions: z.array(z.strictObject({ name: z.string(), schema: z.string() })).optional(),
});

const dump = z.strictObject({
  kind: z.literal("dump"),
  ...common,
  format: z.enum(["directory", "custom"]),
  encryption: z.strictObject({ tool: z.enum(["age", "gpg"]), recipient: z.string() }).nullable(),
  ...properties.shape,
  ledger: z.array(
    z.strictObject({
      run: z.string(),
      state: z.string(),
      chunksTotal: z.number().nullable(),
      nextChunk: z.number(),
      chunksCleaned: z.number(),
      monthsDone: z.number(),
    }),
  ),
  tables: z.array(table),
  /** What the platform needs. */
  objects: z.array(z.string()),
  /** How PostgreSQL was asked for the definitions in them; not in manifests of before, when it gave all parentheses. */
  definitions: z.literal("pretty").optional(),
  /** What else there is; not in manifests of before it was told apart. */
  others: z.array(z.string()).optional(),
  /** What will not come back as it was, and why; said when the backup is made. */
  leftOut: z.array(z.string()).optional(),
});

const base = z.strictObject({
  kind: z.literal("base"),
  ...common,
  /** First file of the write-ahead log that a recovery from here needs. */
  startWal: z.string(),
});

/** What a backup is and what must be in it: everything that a restore is checked against. */
export const manifestSchema = z.discriminatedUnion("kind", [dump, base]);
export type Manifest = z.infer<typeof manifestSchema>;
export type DumpManifest = z.infer<typeof dump>;
export type BaseManifest = z.infer<typeof base>;
export type TableContent = z.infer<typeof table>;
export type DatabaseProperties = z.infer<typeof properties>;
/** A manifest but for what every backup says in the same way. */
export type Made<M extends Manifest> = Omit<
  M,
  "version" | "id" | "database" | "startedAt" | "finishedAt" | "madeAfter"
>;

/** Rows of all tables; null for a base backup, which does not count them. */
export function rowsOf(manifest: Manifest): number | null {
  return manifest.kind === "dump" ? manifest.tables.reduce((sum, { rows }) => sum + rows, 0) : null;
}

import { stat, statfs } from "node:fs/promises";
import os from "node:os";
import { BenchError } from "./errors.js";
import type { Stack } from "./stack.js";

/** What a commit's safety hangs on. A load without it is faster and measures nothing that anyone should run. */
export const DURABILITY: Readonly<Record<string, readonly string[]>> = {
  fsync: ["on"],
  full_page_writes: ["on"],
  wal_level: ["replica", "logical"],
  synchronous_commit: ["on", "remote_write", "remote_apply"],
};

/** Those on which a load's pace depends most. */
const TELLING = [
  "shared_buffers",
  "max_wal_size",
  "checkpoint_timeout",
  "wal_compression",
  "wal_buffers",
  "work_mem",
  "maintenance_work_mem",
  "max_parallel_maintenance_workers",
  "max_parallel_workers_per_gather",
  "data_checksums",
];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly diskFreeMb: number;
  readonly kernel: string;
  readonly postgresql: string;
  readonly rabbitmq: string;
  readonly node: string;
  /** Over the minute before the bench began. */
  readonly loadAverage: number;
  readonly settings: Readonly<Record<string, string>>;
}

export async function machineFacts(stack: Stack, loadAverage: number): Promise<Machine> {
  const names = [...Object.keys(DURABILITY), ...TELLING];
  const { rows } = await stack.admin.query<{ name: string; setting: string }>(
    "SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name = ANY ($1) ORDER BY array_position($1, name)",
    [names],
  );
  const version = await stack.admin.query<{ server_version: string }>("SHOW server_version");
  return {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    memoryMb: Math.round(os.totalmem() / 2 ** 20),
    diskFreeMb: await freeMb(stack.dir),
    kernel: os.release(),
    postgresql: version.rows[0]?.server_version ?? "unknown",
    rabbitmq: (await stack.rabbitmqctl("version")).trim(),
    node: process.version,
    loadAverage,
    settings: Object.fromEntries(rows.map(({ name, setting }) => [name, setting])),
  };
}

/** One fact a line. */
export function renderMachine({ settings, ...facts }: Machine): string {
  const lines = Object.entries({ ...facts, ...settings }).map(
    ([name, value]) => `${name.padEnd(33)}${value}`,
  );
  return lines.join("\n");
}

/** @throws PlatformError BENCH_REFUSED when a commit might not survive a power cut. */
export function requireDurability(settings: Readonly<Record<string, string>>): void {
  const weak = Object.entries(DURABILITY).filter(([name, safe]) => !safe.includes(settings[name] ?? ""));
  if (weak.length > 0) {
    const found = weak.map(([name]) => `${name} = ${settings[name]}`).join(", ");
    const message = `the server may lose commits (${found}): its figures would mean nothing.`;
    const hint = "Take the setting back: ALTER SYSTEM RESET, and db/postgresql.conf as it was.";
    throw new BenchError("BENCH_REFUSED", message, { hint });
  }
}

/** Bytes a row: of text (98 measured), of binary (142 measured), and an allowance for a database while it is being loaded. */
const TEXT_BYTES = 105;
const BINARY_BYTES = 150;
const LOADED_BYTES = 320;

/** Rows of each kind that will be on disk at the same time. */
export interface DiskUse {
  readonly textRows?: number;
  readonly binaryRows?: number;
  readonly loadedRows: number;
}

/** @throws PlatformError BENCH_REFUSED before anything is written that would not fit. */
export async function requireDisk(
  stack: Stack,
  { textRows = 0, binaryRows = 0, loadedRows }: DiskUse,
): Promise<void> {
  const { rows } = await stack.admin.query<{ data_directory: string; wal_mb: number }>(
    `SELECT current_setting('data_directory') AS data_directory,
            pg_size_bytes(current_setting('max_wal_size')) / 1048576 AS wal_mb`,
  );
  const { data_directory: dataDir = stack.dir, wal_mb: walMb = 0 } = rows[0] ?? {};
  const filesMb = (textRows * TEXT_BYTES + binaryRows * BINARY_BYTES) / 2 ** 20;
  const dataMb = (loadedRows * LOADED_BYTES) / 2 ** 20 + walMb;
  const together = (await stat(stack.dir)).dev === (await stat(dataDir)).dev;
  const needs: [string, number][] = together
    ? [[stack.dir, filesMb + dataMb]]
    : [
        [stack.dir, filesMb],
        [dataDir, dataMb],
      ];
  for (const [path, needMb] of needs) {
    const free = await freeMb(path);
    if (free < needMb) {
      const message = `${Math.ceil(needMb)} MB are needed on the disk of ${path}, ${free} MB are free.`;
      throw new BenchError("BENCH_REFUSED", message, { hint: "Free some, or give fewer --rows." });
    }
  }
}

export async function freeMb(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return Math.floor((bavail * bsize) / 2 ** 20);
}

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "replica-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What bash says that has the functions of stack_replica.sh, and whose primary is one of `functions`. */
function said(functions: string, bash: string): string {
  const script = `set -euo pipefail
    cd '${packageRoot}/scripts'; source lib.sh; source stack_replica.sh
    STACK_DIR='${folder}' PG_DIR='${folder}' PG_BIN='${folder}' PG_AS=(env)
    declare -A STATE=()
    ${functions}
    ${bash}`;
  return execFileSync("bash", ["--norc", "-pc", script], { encoding: "utf8" });
}

it("the replica has no less than its primary has, nor than its own log asks for", () => {
  const control = `Maximum data alignment:               8
max_connections setting:              300
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           20
max_locks_per_xact setting:           64
track_commit_timestamp setting:       off`;
  writeFileSync(join(folder, "pg_controldata"), `#!/bin/sh\ncat <<'X'\n${control}\nX\n`);
  chmodSync(join(folder, "pg_controldata"), 0o755);
  const primary = `max_connections setting: 100
max_locks_per_transaction setting: 256
max_parallel_workers setting: 2
max_prepared_transactions setting: 0
max_wal_senders setting: 10
max_worker_processes setting: 16`;
  const options = said(`replica_ask_primary() { echo '${primary}'; }`, "replica_least");
  expect(options.trim().split("\n").sort()).toEqual([
    "--max_connections=300",
    "--max_locks_per_transaction=256",
    "--max_prepared_transactions=20",
    "--max_wal_senders=10",
    "--max_worker_processes=16",
  ]);
});

it.each([
  ["a first copy that broke off", ["replica.new"]],
  ["one that never began", []],
  ["a whole one", ["replica"]],
])("what is not wanted any more is deleted, slot and all: %s", (_, copies) => {
  for (const name of ["data", ...copies]) {
    mkdirSync(join(folder, name));
  }
  writeFileSync(join(folder, ".replica_pass"), "x");
  const ask = 'replica_stop() { echo stop; }; replica_ask_primary() { echo "$1" >&2; echo asked; }';
  expect(said(`${ask}; replica_drop_slot() { echo drop; }`, "up_replica")).toBe("stop\ndrop\n");
  expect(readdirSync(folder)).toEqual(["data"]);
  expect(said(`${ask}; replica_drop_slot() { echo drop; }`, "up_replica")).toBe("");
});

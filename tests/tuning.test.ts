import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { packageRoot } from "../lib/root.js";
import { readCompose } from "./harness/compose.js";

const read = (path: string) => readFileSync(join(packageRoot, path), "utf8");
/** What a value is without quotes and blanks around it; '' stays empty. */
const bare = (text: string) => text.trim().replace(/^'(.*)'$/, "$1");

/** Every `name = value` of a configuration file. */
function settingsIn(conf: string): Map<string, string> {
  const lines = conf.matchAll(/^([a-z_.]+) *= *('[^']*'|[^\s#]+)/gm);
  return new Map([...lines].map(([, name = "", value = ""]) => [name, bare(value)]));
}

/** What the local stack would write on a machine of that size. */
function machineConf(memoryMb: string, cores: string): Map<string, string> {
  const script = `source scripts/lib.sh; source scripts/stack_postgres.sh; source scripts/stack_backups.sh
    declare -A STATE=([POSTGRES_PORT]=5432 [BACKUPS]=on)
    nproc() { echo ${cores}; }
    DATA_DIR=/nowhere PG_DIR=/nowhere PG_BIN=/nowhere PG_AS=(true)  # a server that has lz4
    pg_machine_conf`;
  const env = { ...process.env, STACK_DIR: "/nowhere", STACK_MEMORY_MB: memoryMb };
  return settingsIn(execFileSync("bash", ["-euc", script], { cwd: packageRoot, env, encoding: "utf8" }));
}

const conf = settingsIn(read("db/postgresql.conf"));
const page = read("docs/tuning.md").replace(/<!-- measured[\s\S]*<!-- \/measured -->/, "");
const table = (title: string) => page.split(/^##+ /m).find((part) => part.startsWith(title)) ?? "";
/** The rows of tables, each by its first cell: a parameter. */
const rowsOf = (text: string) =>
  new Map(
    [...text.matchAll(/^\| `([a-z_.]+)` \|(.*)\|$/gm)].map(([, name = "", cells = ""]) => [
      name,
      cells.split("|").map((cell) => cell.trim()),
    ]),
  );
const rows = rowsOf(page);
const sized = rowsOf(table("Sized by the machine"));
const columns = (/^\| parameter (.*)\|$/m.exec(table("Sized by the machine"))?.[1] ?? "")
  .split("|")
  .map((cell) => cell.trim())
  .filter((cell) => cell !== "");

const command = readCompose().services["postgres"]?.command ?? [];
const compose = new Map(
  command.filter((word) => word.includes("=")).map((word) => word.split("=", 2) as [string, string]),
);

describe("docs/tuning.md", () => {
  it("names every parameter that is set anywhere, and no other", () => {
    const set = new Set([...conf.keys(), ...machineConf("4096", "2").keys(), ...compose.keys()]);
    expect(conf.size).toBeGreaterThan(40);
    expect([...rows.keys()].sort()).toEqual([...set].sort());
  });

  test.each([...conf].filter(([name]) => !sized.has(name)))(
    "%s = %s, as in db/postgresql.conf",
    (name, value) => {
      expect(bare(rows.get(name)?.[0] ?? "")).toBe(value);
    },
  );

  test.each([...sized.keys()])(
    "%s has in the container what db/postgresql.conf or its command line says",
    (name) => {
      expect(sized.get(name)?.[columns.indexOf("container")]).toBe(
        compose.get(name) ?? conf.get(name) ?? "–",
      );
    },
  );

  const machines = columns.flatMap((column, i) => {
    const [, memoryMb, cores] = /^(\d+), (\d+) cores$/.exec(column) ?? [];
    return memoryMb === undefined || cores === undefined ? [] : [{ i, memoryMb, cores }];
  });
  test.each(machines)(
    "has the sizes that stack.sh chooses for $memoryMb MB and $cores cores",
    ({ i, memoryMb, cores }) => {
      const written = machineConf(memoryMb, cores);
      expect(Object.fromEntries([...sized].map(([name, cells]) => [name, cells[i]]))).toEqual(
        Object.fromEntries([...sized.keys()].map((name) => [name, written.get(name)])),
      );
    },
  );

  it("has four machines, and all that depends on the machine in that table", () => {
    expect(machines).toHaveLength(4);
    const [small, large] = [machineConf("1024", "1"), machineConf("131072", "64")];
    const differing = [...small.keys()].filter((name) => small.get(name) !== large.get(name));
    expect([...sized.keys()]).toEqual(expect.arrayContaining(differing));
  });

  const places = ["port", "archive_command"];
  test.each([...machineConf("4096", "2")].filter(([name]) => !sized.has(name) && !places.includes(name)))(
    "%s = %s, as the local stack writes it",
    (name, value) => {
      expect(bare(rows.get(name)?.[0] ?? "")).toBe(value);
    },
  );
});

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { cleanFolder, markUnfinished, removeBackup } from "./leftovers.js";

let [folder, elsewhere] = ["", ""];
let said: string[];
const logger = pino({ level: "info" }, { write: (line) => void said.push(JSON.parse(line).msg) });
beforeEach(() => {
  [folder, elsewhere] = [mkdtempSync(join(tmpdir(), "left-")), mkdtempSync(join(tmpdir(), "else-"))];
  said = [];
});
afterEach(() => {
  for (const path of [folder, elsewhere]) {
    rmSync(path, { recursive: true });
  }
});

const ID = "dump-20261122T024107123Z";

async function make(name: string, marked: boolean): Promise<void> {
  mkdirSync(join(folder, name, "dump"), { recursive: true });
  writeFileSync(join(folder, name, "dump", "toc.dat"), "PGDMP");
  if (marked) {
    await markUnfinished(join(folder, name));
  }
}

it("takes away what killed backups left, and says so", async () => {
  const ours = [`${ID}.partial`, `base-20261122T024107123Z.deleted`, `.${ID}.4711.partial`];
  for (const name of ours) {
    await make(name, true);
  }
  mkdirSync(join(folder, "dump-20261122T024107124Z.partial")); // killed before its mark was written
  await cleanFolder(folder, logger);
  expect(readdirSync(folder)).toEqual([]);
  expect(said.sort()).toEqual(
    ours.map((name) => `removing ${name}, which a backup that was killed has left`).sort(),
  );
});

it("leaves alone what others put there, whatever its name and content", async () => {
  const foreign = [
    "mysql.partial",
    "photos.deleted",
    ".partial",
    "dump-2026.partial",
    `${ID}.partial.partial`,
    `x${ID}.partial`,
  ];
  for (const name of foreign) {
    await make(name, true);
  }
  writeFileSync(join(folder, "file.partial"), "");
  await cleanFolder(folder, logger);
  expect(readdirSync(folder).sort()).toEqual([...foreign, "file.partial"].sort());
  expect(said).toEqual([]);
});

it("leaves and names what has a name of ours but no mark: a copy that somebody is making, a file, a link", async () => {
  await make(`${ID}.partial`, false);
  await make("somewhere", true);
  writeFileSync(join(folder, "base-20261122T024107123Z.deleted"), "");
  symlinkSync(join(folder, "somewhere"), join(folder, `${ID}.deleted`));
  const before = readdirSync(folder, { recursive: true });
  await cleanFolder(folder, logger);
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
  expect(said).toHaveLength(3);
  for (const text of said) {
    expect(text).toMatch(/it stays, remove it if nobody needs it$/);
  }
});

it("removes of a backup that was moved elsewhere the link only", async () => {
  writeFileSync(join(elsewhere, "manifest.json"), "{}");
  symlinkSync(elsewhere, join(folder, ID));
  await removeBackup(join(folder, ID));
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(join(elsewhere, "manifest.json"))).toBe(true);
});

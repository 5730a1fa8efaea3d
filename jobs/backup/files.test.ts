import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkSums, listFiles, MANIFEST, UNFINISHED, VERIFIED, writeSums } from "./files.js";

let folder = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sums-"));
  for (const name of [MANIFEST, "globals.sql"]) {
    writeFileSync(join(folder, name), name);
  }
  await writeSums(folder, await listFiles(folder));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("holds our own marks, whole or left by a process that was killed, for no damage", async () => {
  for (const name of [UNFINISHED, VERIFIED, `${VERIFIED}.new`, `${VERIFIED}.4711.new`]) {
    writeFileSync(join(folder, name), "");
  }
  expect(await checkSums(folder)).toEqual([]);
});

it("tells what is missing from what is too many", async () => {
  rmSync(join(folder, "globals.sql"));
  expect(await checkSums(folder)).toEqual(["globals.sql is missing"]);
  rmSync(join(folder, MANIFEST));
  writeFileSync(join(folder, "globals.sql"), "globals.sql");
  writeFileSync(join(folder, "more"), "");
  expect(await checkSums(folder)).toEqual([`${MANIFEST} is missing`, "more is in no list"]);
});

import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../lib/root.js";
import { LONG } from "./long_first.js";

test("every long file is there: one that was renamed would begin last, and run on alone", () => {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.test.ts"], {
    cwd: packageRoot,
    encoding: "utf8",
  });
  const names = new Set(listed.split("\n").map((path) => basename(path, ".test.ts")));
  expect(LONG.filter((name) => !names.has(name))).toEqual([]);
});

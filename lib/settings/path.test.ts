import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../root.js";
import { resolvePath } from "./path.js";

const CASES = [
  "backups",
  "./a/../b",
  "../beside",
  "/abs/../x",
  "/ends/with/",
  "two words/it's",
  "a~b",
  "price$",
  "/kept in/$x/of that name",
  "~",
  "~/x",
  "~/a/../b",
  "~root/x",
  "$HOME/x",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a user writes
  "/mnt/${USER}/x",
  "$(pwd)/x",
];

/** Of a value: the path, or nothing where it is refused. */
function inBash(values: string[]): (string | undefined)[] {
  const script =
    'source "$1"; shift; for v; do printf "%s\\0" "$(absolute_path NAME "$v" "$REPO_ROOT")"; done';
  const lib = join(packageRoot, "scripts", "lib.sh");
  const { stdout } = spawnSync("bash", ["-pc", script, "test", lib, ...values], { encoding: "utf8" });
  return stdout
    .split("\0")
    .slice(0, -1)
    .map((path) => path || undefined);
}

function here(value: string): string | undefined {
  try {
    return resolvePath(value);
  } catch {
    return undefined;
  }
}

it("a path is the same to the scripts and to the programs", () => {
  expect(inBash(CASES)).toEqual(CASES.map(here));
});

it("what only a shell expands is refused", () => {
  expect(CASES.filter((value) => here(value) === undefined)).toEqual(CASES.slice(-4));
});

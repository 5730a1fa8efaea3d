import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder, found from this file, so that it is the same for `dist/` and for sources under test. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

function manifest(): { version: string; engines: { node: string } } {
  return JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
}

export function packageVersion(): string {
  return manifest().version;
}

/** `20.19`: the least version of Node.js that the package names. */
export function leastNode(): string {
  return manifest().engines.node.replace(">=", "");
}

function findRoot(from: string): string {
  if (existsSync(join(from, "package.json"))) {
    return from;
  }
  if (from === dirname(from)) {
    throw new Error("package.json not found above lib/root");
  }
  return findRoot(dirname(from));
}

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder, found from this file, so that it is the same for `dist/` and for sources under test. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/**
 * A file that is started or read by its path, as code lies in other files once it is built: beside its code where each file was
 * compiled by itself (rigs of tests) or is a source, else in the build.
 *
 * @param folder the code's own, `import.meta.dirname`
 * @param path from the root, `lib/http/docs_page.mjs`
 */
export function fileOfBuild(folder: string, path: string): string {
  const beside = join(folder, basename(path));
  return existsSync(beside) ? beside : join(packageRoot, "dist", path);
}

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

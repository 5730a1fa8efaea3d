// For scripts/node.sh: prints the packages of package-lock.json that npm ought to have installed here and has not.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [, , root = "."] = process.argv;
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
const { glibcVersionRuntime } = process.report.getReport().header;
const here = { os: process.platform, cpu: process.arch, libc: glibcVersionRuntime ? "glibc" : "musl" };

/** A package that is for other machines is rightly left out; an optional one that names no machine may be. */
function wanted(entry) {
  const named = Object.keys(here).filter((what) => entry[what] !== undefined);
  return named.length === 0 ? !entry.optional : named.every((what) => entry[what].includes(here[what]));
}

// Not by its version: one that is on npm names another in its package.json.
for (const [path, entry] of Object.entries(packages)) {
  if (path !== "" && wanted(entry) && !existsSync(join(root, path, "package.json"))) {
    console.log(path.replace(/.*node_modules\//, ""));
  }
}

import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { packageRoot } from "../root.js";

/**
 * A path as a setting may give it: absolute, from the home directory (`~/…`), or relative to the checkout. What only a shell
 * would expand is refused: taken literally it would make a folder of that name. scripts/lib.sh has the same rule.
 *
 * @throws Error saying what is wrong, without the value.
 */
export function resolvePath(value: string): string {
  if (value === "~" || value.startsWith("~/")) {
    const home = homedir();
    if (!isAbsolute(home)) {
      throw new Error("begins with ~, but HOME is no absolute path");
    }
    return join(home, value.slice(1));
  }
  if (value.startsWith("~")) {
    throw new Error("begins with ~ and a name, which only a shell expands; write the whole path");
  }
  if (/^\$|\$[{(]/.test(value)) {
    throw new Error("has a variable in it, which only a shell expands; write the whole path");
  }
  return resolve(packageRoot, value);
}

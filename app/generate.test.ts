import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";
import { generatedFiles } from "./generate.js";
import { MODULES } from "./modules.js";

it.each(Object.entries(generatedFiles(MODULES)))("%s is what npm run generate makes", (path, text) => {
  expect(readFileSync(join(packageRoot, path), "utf8")).toBe(text);
});

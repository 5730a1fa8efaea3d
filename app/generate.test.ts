import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";
import { generatedFiles } from "./generate.js";
import { MODULES } from "./modules.js";

const files = await generatedFiles(MODULES);

it.each(Object.entries(files))("%s is what npm run generate makes", (path, text) => {
  expect(readFileSync(join(packageRoot, path), "utf8")).toBe(text);
});

it("docs/modules.md lists each name once among its kind", () => {
  const sections = (files["docs/modules.md"] ?? "").split(/^## /m);
  // A module and a queue may be called alike: reports.
  const lists = sections.map((text) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name));
  expect(lists.flat().length).toBeGreaterThan(50);
  for (const names of lists) {
    expect(names).toEqual([...new Set(names)]);
  }
});

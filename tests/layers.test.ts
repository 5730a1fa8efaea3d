import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

/** What a folder may import besides itself: a folder, or a single file without its ending. docs/development.md says why. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  etl: ["lib"],
  jobs: ["lib", "etl/verify", "etl/generate/digest"],
  services: ["lib"],
  traffic: ["lib", "services/contracts", "etl/world"],
  app: ["lib", "etl", "jobs", "services", "traffic"],
  bench: [
    "lib",
    "etl",
    "services/contracts",
    "services/ingest/domain",
    "services/ingest/lake",
    "traffic/lake",
    "app",
    "tests/harness/fake_model",
    "tests/harness/unknown_provider",
  ],
  grafana: ["lib", "app/modules"],
  console: ["services/console/contracts"],
};

type Imports = ReadonlyMap<string, readonly string[]>;

/** Modules of ours that each source file imports, types too, as paths from the root without their ending. */
function importsOf(files: readonly string[]): Imports {
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(packageRoot, file), "utf8");
      const first = text.matchAll(/^(?:import|export)\b[^;]*?from "(\.[^"]+)\.js";$/gm);
      const later = text.matchAll(/\bimport\("(\.[^"]+)\.js"\)/g);
      const specifiers = [...first, ...later];
      return [stem(file), specifiers.map(([, path = ""]) => normalize(join(dirname(file), path)))];
    }),
  );
}

const stem = (file: string) => file.replace(/\.tsx?$/, "");
const folderOf = (path: string) => path.split("/")[0] ?? "";
const within = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

/** Floors of the pipeline: each imports from those before it. */
const FLOORS = ["etl/world", "etl/plan", "etl/generate", "etl/ledger", "etl/build", "etl/steps"];
const floorOf = (path: string) => FLOORS.findIndex((floor) => within(path, floor));

/** `from → to` for each import that a floor may not make. */
function upstairs(imports: Imports): string[] {
  return [...imports].flatMap(([from, targets]) =>
    targets.filter((to) => floorOf(from) >= 0 && floorOf(to) > floorOf(from)).map((to) => `${from} → ${to}`),
  );
}

/** `from → to` for each import that a layer may not make. */
function upwards(imports: Imports): string[] {
  return [...imports].flatMap(([from, targets]) => {
    const allowed = [folderOf(from), ...(MAY_IMPORT[folderOf(from)] ?? [])];
    return targets
      .filter((to) => !allowed.some((place) => within(to, place)))
      .concat(targets.filter((to) => betweenServices(from, to)))
      .map((to) => `${from} → ${to}`);
  });
}

/** A service knows of another what is in contracts, and nothing else. */
function betweenServices(from: string, to: string): boolean {
  const [service, other] = [from, to].map((path) => path.split("/").slice(0, 2).join("/"));
  return (
    within(from, "services") && within(to, "services") && other !== service && other !== "services/contracts"
  );
}

/** A way from a file back to itself, if there is one. */
function circle(imports: Imports): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) {
      return [...path.slice(path.indexOf(file)), file];
    }
    if (done.has(file)) {
      return [];
    }
    for (const target of imports.get(file) ?? []) {
      const found = visit(target, [...path, file]);
      if (found.length > 0) {
        return found;
      }
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const found = visit(file, []);
    if (found.length > 0) {
      return found;
    }
  }
  return [];
}

const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.tsx"], {
  cwd: packageRoot,
});
const sources = String(listed)
  .trim()
  .split("\n")
  .filter((file) => folderOf(file) in MAY_IMPORT && !file.endsWith(".test.ts"));
const imports = importsOf(sources);

describe("imports", () => {
  it("are seen", () => {
    expect(imports.get("app/modules")).toContain("etl/module");
    expect(imports.get("etl/commands/seed")).toContain("etl/seed/seed");
    expect(sources.length).toBeGreaterThan(100);
  });

  it("go down only", () => {
    expect(upwards(imports)).toEqual([]);
  });

  it("of the pipeline's floors go down only", () => {
    expect(upstairs(imports)).toEqual([]);
  });

  it("go round in no circle", () => {
    expect(circle(imports)).toEqual([]);
  });

  it("that go up, across or round are noticed", () => {
    const bad = new Map([
      ["lib/a", ["etl/b", "lib/c"]],
      ["lib/c", ["lib/a"]],
      ["jobs/d", ["etl/steps/e", "etl/verify/f"]],
      ["services/x/g", ["services/contracts/h", "services/y/i", "services/x/j"]],
      ["app/k", ["tests/l"]],
      ["etl/build/m", ["etl/plan", "etl/steps/n", "etl/errors"]],
    ]);
    expect(upstairs(bad)).toEqual(["etl/build/m → etl/steps/n"]);
    expect(upwards(bad)).toEqual([
      "lib/a → etl/b",
      "jobs/d → etl/steps/e",
      "services/x/g → services/y/i",
      "app/k → tests/l",
    ]);
    expect(circle(bad)).toEqual(["lib/a", "lib/c", "lib/a"]);
  });
});

it("lib has no word of the pipeline but in lib/domain", () => {
  const PIPELINE = /\b(etl|etl_queue|staged?|leaf|run_id|chunk_no)\b/i;
  const named = String(
    execFileSync("git", ["ls-files", "-co", "--exclude-standard", "lib"], { cwd: packageRoot }),
  )
    .trim()
    .split("\n")
    .filter((file) => !within(file, "lib/domain"))
    .filter((file) => PIPELINE.test(readFileSync(join(packageRoot, file), "utf8")));
  expect(named).toEqual([]);
});

it("statements on the tables of schema etl stand in etl/ledger", () => {
  const STATEMENT = /\b(FROM|JOIN|INTO|UPDATE|LOCK TABLE) etl\.\w+(?! *\()/;
  const elsewhere = sources
    .filter((file) => within(file, "etl"))
    .filter((file) => STATEMENT.test(readFileSync(join(packageRoot, file), "utf8")));
  expect(elsewhere.filter((file) => !within(file, "etl/ledger"))).toEqual([]);
  expect(elsewhere.length).toBeGreaterThan(4);
});

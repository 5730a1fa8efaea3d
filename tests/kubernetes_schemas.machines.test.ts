import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";
import { type Manifest, ofKind, readManifests } from "./harness/kubernetes.js";

const run = promisify(execFile);
/** Kubernetes' and KEDA's own schemas, as checks and as types. 26 MB for these tests alone, so they are fetched for this call. */
const SCHEMAS = ["kubernetes-models@5.1.0", "@kubernetes-models/keda@2.0.0"];
const objects = [...readManifests("base"), ...readManifests("keda")];

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "kubernetes-"));
  await writeFile(join(place, "package.json"), '{ "type": "module" }');
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", ["install", ...quiet, ...SCHEMAS], { cwd: place });
});
afterAll(() => rm(place, { recursive: true, force: true }));

/** Where a version of an API is: `kubernetes-models/apps/v1`. */
function packageOf({ apiVersion }: Versioned): string {
  return apiVersion.startsWith("keda.sh/")
    ? `@kubernetes-models/keda/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;
}
type Versioned = Manifest & { apiVersion: string };

async function check(those: readonly Manifest[]): Promise<string[]> {
  const asked = those.map(async (object) => {
    const folder = `node_modules/${packageOf(object as Versioned)}/index.js`;
    const kinds = await import(pathToFileURL(join(place, folder)).href);
    try {
      new kinds[object.kind](object).validate();
      return [];
    } catch (error) {
      return [`${object.kind} ${object.metadata.name}: ${error}`];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** Schemas let pass what they do not know; the compiler does not. @returns its errors. */
async function compile(those: readonly Manifest[]): Promise<string> {
  const lines = those.map((object, i) => {
    const type = `import("${packageOf(object as Versioned)}").I${object.kind}`;
    return `export const object${i}: ${type} = ${JSON.stringify(object)};`;
  });
  await writeFile(join(place, "objects.ts"), lines.join("\n"));
  const tsc = join(packageRoot, "node_modules/.bin/tsc");
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--types", ""];
  return run(tsc, [...options, "objects.ts"], { cwd: place }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
}

const wrong = (kind: string, make: (spec: Manifest["spec"]) => void) => {
  const object = structuredClone(ofKind(objects, kind)[0]) as Manifest;
  make(object.spec);
  return [object];
};

describe("compose/kubernetes", () => {
  it("has objects that Kubernetes and KEDA take", async () => {
    expect(objects.length).toBeGreaterThan(60);
    expect(await check(objects)).toEqual([]);
    expect(await compile(objects)).toBe("");
  });

  it("would be refused with a value of another type, or without what must be there", async () => {
    const bad = [
      ...wrong("Deployment", (spec) => Object.assign(spec, { minReadySeconds: "5" })),
      ...wrong("ScaledObject", (spec) => delete spec.triggers),
    ];
    const problems = await check(bad);
    expect(problems).toEqual([
      expect.stringContaining("minReadySeconds"),
      expect.stringContaining("triggers"),
    ]);
  });

  it("would be refused with a field that there is not", async () => {
    const bad = [
      ...wrong("Deployment", (spec) => Object.assign(spec.template.spec, { terminationGracePeriod: 1 })),
      ...wrong("ScaledObject", (spec) => Object.assign(spec, { minReplicas: 2 })),
    ];
    const errors = await compile(bad);
    expect(errors).toContain(`"terminationGracePeriod"' does not exist`);
    expect(errors).toContain(`"minReplicas"' does not exist`);
  });
});

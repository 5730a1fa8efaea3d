import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

const run = promisify(execFile);
/** Each leaves out, puts elsewhere or only pretends to install what the build needs. */
const HOSTILE = `omit[]=dev
omit[]=optional
production=true
ignore-scripts=true
package-lock=false
package-lock-only=true
bin-links=false
dry-run=true
global=true
location=global
workspaces=true
script-shell=/bin/false
`;

let checkout: string;
let env: NodeJS.ProcessEnv;
/** A checkout whose only package, for development, lies in it, so that npm needs no network. */
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), "packages "));
  for (const name of ["scripts", "lib/settings/dotenv.mjs"]) {
    await cp(join(packageRoot, name), join(checkout, name), { recursive: true });
  }
  const tool = { name: "tool", version: "1.0.0", bin: { tool: "tool.js" } };
  await writeProgram("tool/tool.js", "#!/bin/sh\necho tool\n");
  await write("tool/package.json", JSON.stringify(tool));
  const root = { name: "checkout", version: "1.0.0", devDependencies: { tool: "file:tool" } };
  await write("package.json", JSON.stringify({ ...root, scripts: { build: "tool >built" } }));
  const packages = {
    "": root,
    "node_modules/tool": { resolved: "tool", link: true, dev: true },
    tool: { ...tool, dev: true },
  };
  await write("package-lock.json", JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }));
  env = { PATH: process.env["PATH"], HOME: checkout, PAYMENTS_ENV_FILE: "/dev/null" };
});
afterAll(() => rm(checkout, { recursive: true }));

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(checkout, name)), { recursive: true });
  await writeFile(join(checkout, name), text);
}

async function writeProgram(name: string, text: string): Promise<void> {
  await write(name, text);
  await chmod(join(checkout, name), 0o755);
}

/** What scripts do before they build. @returns whether it asked npm. */
async function install(more: NodeJS.ProcessEnv = {}): Promise<boolean> {
  const script = 'set -euo pipefail; source "$1/lib.sh"; source "$1/node.sh"; npm_install; build';
  const args = ["--norc", "-pc", script, "test", join(checkout, "scripts")];
  const { stderr } = await run("bash", args, { env: { ...env, ...more } });
  return stderr.includes("installing npm packages");
}

it("all that the lock file has is installed, whatever npm's settings of the user are", async () => {
  await write(".npmrc", HOSTILE);
  const more = { NODE_ENV: "production", npm_config_omit: "dev", npm_config_global: "true" };
  expect(await install(more)).toBe(true);
  expect(await readFile(join(checkout, "built"), "utf8")).toBe("tool\n");
  expect(await install()).toBe(false);
});

describe("packages are installed again", () => {
  /** In place of npm, which takes seconds: installs what the lock file names. */
  const NPM = `#!/bin/sh
[ "$1" = ci ] || exit 0
rm -rf node_modules
mkdir node_modules
cp -r tool node_modules/tool
`;
  beforeAll(async () => {
    await writeProgram("path/npm", NPM);
    env = { ...env, PATH: `${join(checkout, "path")}:${env["PATH"]}` };
    await rm(join(checkout, "node_modules"), { recursive: true });
    expect(await install()).toBe(true);
  });

  it("when a file of them is gone or cut short, and not when a tool has put its cache there", async () => {
    await write("node_modules/.cache/x", "");
    expect(await install()).toBe(false);
    await rm(join(checkout, "node_modules/tool/tool.js"));
    expect(await install()).toBe(true);
    await write("node_modules/tool/tool.js", "");
    expect(await install()).toBe(true);
    expect(await install()).toBe(false);
  });

  it("on another machine or Node", async () => {
    const other = '#!/bin/sh\n[ "$1" != -p ] || { echo linux,s390x,1; exit; }';
    await writeProgram("other/node", `${other}\nexec '${process.execPath}' "$@"\n`);
    expect(await install({ PATH: `${join(checkout, "other")}:${env["PATH"]}` })).toBe(true);
    expect(await install()).toBe(true);
  });

  it.each([
    ["was interrupted", "exit 130", "npm ci failed"],
    ["has left something out", "rm -rf node_modules/tool", "npm ci left out tool"],
  ])("after npm %s", async (_, ends, says) => {
    await rm(join(checkout, "node_modules/tool/tool.js"));
    await writeProgram("path/npm", `${NPM}${ends}\n`);
    await expect(install()).rejects.toThrow(says);
    await writeProgram("path/npm", NPM);
    expect(await install()).toBe(true);
    expect(await install()).toBe(false);
  });
});

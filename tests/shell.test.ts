import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";
import { databaseName } from "../lib/settings/base.js";

const run = promisify(execFile);
const { PATH = "", HOME } = process.env;
const clean = { PATH, HOME, PAYMENTS_ENV_FILE: "/dev/null" };

let folder: string;
/** A checkout's scripts and nothing else: neither installed nor built. */
let checkout: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shell "));
  await chmod(folder, 0o755);
  checkout = join(folder, "checkout");
  for (const name of [
    "bin",
    "scripts",
    "lib/settings/dotenv.mjs",
    "db/roles.sql",
    "package.json",
    "package-lock.json",
  ]) {
    await cp(join(packageRoot, name), join(checkout, name), { recursive: true });
  }
});
afterAll(() => rm(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the checkout to its end, whatever that is. */
async function called(env: NodeJS.ProcessEnv, file: string, ...args: string[]): Promise<Result> {
  try {
    return { code: 0, ...(await run(file, args, { cwd: checkout, env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Result;
    return { code, stdout, stderr };
  }
}

describe("what a user's shell exports", () => {
  /** As `export -f NAME` hands it on. */
  const hijacked = (name: string) => [`BASH_FUNC_${name}%%`, `() { echo hijacked; builtin ${name} "$@"; }`];
  let hostile: NodeJS.ProcessEnv;
  beforeAll(async () => {
    const rc = join(folder, "rc");
    await writeFile(rc, "shopt -s expand_aliases; alias local='echo hijacked;'; echo hijacked; set -f\n");
    hostile = {
      ...clean,
      CDPATH: `.:${folder}`,
      BASH_ENV: rc,
      ENV: rc,
      SHELLOPTS: "braceexpand:noglob",
      BASHOPTS: "nocaseglob",
      GLOBIGNORE: "*",
      POSIXLY_CORRECT: "1",
      ...Object.fromEntries(["cd", "pwd", "printf", "command", "test"].map(hijacked)),
    };
  });

  it("steers no script that is called as README does", async () => {
    const scripts = (await readdir(join(packageRoot, "scripts"))).filter((name) => name.endsWith(".sh"));
    for (const name of scripts) {
      const text = await readFile(join(packageRoot, "scripts", name), "utf8");
      if (!text.startsWith("#!")) {
        continue;
      }
      if (name !== "wal_archive.sh") {
        expect(text, name).toMatch(/^#!\/usr\/bin\/env -S bash -p\n/);
      }
      if (/chaos|bench/.test(name)) {
        continue; // their help is made by what they would first build
      }
      const args = name === "schema_dump.sh" ? ["--help"] : ["-h"];
      const calm = await called(clean, `scripts/${name}`, ...args);
      expect(await called(hostile, `scripts/${name}`, ...args), name).toEqual(calm);
      expect(await called(clean, "sh", `scripts/${name}`, ...args), name).toEqual(calm);
    }
  });

  it.each([["scripts/stack.sh"], ["bash", "scripts/stack.sh"]])("nor %s %s at work", async (...command) => {
    const { CDPATH } = hostile;
    // Called by bash itself its BASH_ENV and functions come first; CDPATH must do no harm then.
    const env = command.length === 1 ? hostile : { ...clean, CDPATH, POSIXLY_CORRECT: "1" };
    const [file = "", ...args] = [...command, "status", "--json"];
    const status = await called({ ...env, STACK_DIR: join(folder, "none") }, file, ...args);
    expect(status).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no stack in") });
    expect(JSON.parse(status.stdout)).toHaveLength(5);
  });
});

describe("bin/payments", () => {
  it("says what to do before the build, and works after it, also through a link and from elsewhere", async () => {
    const link = join(folder, "payments");
    await symlink(join(checkout, "bin", "payments"), link);
    for (const file of ["bin/payments", link]) {
      const early = await called(clean, file, "--version");
      expect(early).toEqual({
        code: 1,
        stdout: "",
        stderr: `payments: nothing is built yet; run: ${checkout}/scripts/bootstrap.sh\n`,
      });
    }
    await mkdir(join(checkout, "dist/app"), { recursive: true });
    await mkdir(join(checkout, "node_modules/commander"), { recursive: true });
    await writeFile(join(checkout, "dist/app/main.js"), "console.log(...process.argv.slice(2))");
    for (const file of ["bin/payments", link]) {
      expect(await called(clean, file, "status", "two words")).toMatchObject({
        stdout: "status two words\n",
      });
    }
    await rm(join(checkout, "dist"), { recursive: true });
    await rm(join(checkout, "node_modules"), { recursive: true });
  });

  it("says what to do where a package is half there", async () => {
    await cp(join(packageRoot, "dist"), join(checkout, "dist"), { recursive: true });
    await mkdir(join(checkout, "node_modules/commander"), { recursive: true });
    expect(await called(clean, "bin/payments", "--version")).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^payments: a part of it is missing; run: .*checkout\/scripts\/bootstrap\.sh \(Cannot find package .*\)\n$/,
      ),
    });
    await rm(join(checkout, "dist"), { recursive: true });
    await rm(join(checkout, "node_modules"), { recursive: true });
  });

  it("is the package's program", async () => {
    const { bin } = JSON.parse(await readFile(join(packageRoot, "package.json"), "utf8"));
    expect(bin).toEqual({ payments: "bin/payments" });
  });
});

describe("scripts/stack.sh", () => {
  it("takes the names of databases that payments takes", async () => {
    const names = [
      "payments",
      "_x1",
      "a".repeat(63),
      "a".repeat(64),
      "pay-ments",
      "Payments",
      "päy",
      "1a",
      "a b",
    ];
    names.push(
      "a'b",
      'a"b',
      "postgres",
      "template0",
      "template1",
      "template2",
      "payments_scratch",
      "datalake",
      "a\nb",
    );
    for (const POSTGRES_DB of names) {
      const env = { ...clean, POSTGRES_DB, LC_ALL: "C.UTF-8", STACK_DIR: "/proc/none" };
      const { code, stderr } = await called(env, "scripts/stack.sh", "up");
      const taken = databaseName.safeParse(POSTGRES_DB).success;
      expect(stderr.includes("POSTGRES_DB is"), POSTGRES_DB).toBe(!taken);
      expect(code, POSTGRES_DB).toBe(taken ? 1 : 2);
    }
  });

  it.each([
    ["STACK_DIR", "~somebody/x"],
    ["STACK_DIR", "$HOME/x"],
    ["STACK_MEMORY_MB", "2G"],
    ["STACK_MEMORY_MB", "08"],
    ["STACK_POSTGRES_BIN", "/nowhere"],
  ])("refuses %s=%s", async (name, value) => {
    const { code, stderr } = await called({ ...clean, [name]: value }, "scripts/stack.sh", "up");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`^stack.sh: ${name} `)),
    });
  });
});

describe("scripts/test.sh --postgres", () => {
  it.each([
    [["--postgres"], "--postgres takes a version"],
    [["--postgres", "int"], "--postgres takes a version"],
    [["--postgres", "18", "int", "machines"], "machines are backed up and copied"],
  ])("refuses %j before it does anything", async (args, told) => {
    const { code, stderr } = await called(clean, "scripts/test.sh", ...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(told) });
  });

  it("knows no version that nobody has looked at", async () => {
    const { code, stderr } = await called(clean, "scripts/test_postgres.sh", "17");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("known: 18\n") });
  });
});

describe("a bad .env", () => {
  it.each([
    ["not a setting", /^\S.*bad:1: is not NAME=value\nbackup\.sh: cannot read the settings in .*bad; .*\n$/],
    ...["STACK_DIR", "STACK_PORTS", "STACK_POSTGRES_BIN"].map((name): [string, RegExp] => [
      `${name}=x`,
      /^backup\.sh: STACK_DIR, STACK_PORTS and STACK_POSTGRES_BIN belong in the environment, not in .*bad\n$/,
    ]),
  ])("is told once: %s", async (text, told) => {
    const bad = join(folder, "bad");
    await writeFile(bad, `${text}\n`);
    await mkdir(join(checkout, "dist/app"), { recursive: true });
    await writeFile(join(checkout, "dist/app/backups.js"), "");
    const { code, stderr } = await called({ ...clean, PAYMENTS_ENV_FILE: bad }, "scripts/backup.sh");
    await rm(join(checkout, "dist"), { recursive: true });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(told) });
  });
});

it.each(["'", '"', "`", "\n"])(
  "a stack is not put where RabbitMQ would hang: %j in its path",
  async (char) => {
    const env = { ...clean, STACK_DIR: `/proc/a${char}b` };
    const { code, stderr } = await called(env, "scripts/stack.sh", "up");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("which RabbitMQ cannot bear"),
    });
  },
);

it("nor where its path is too long for PostgreSQL", async () => {
  const env = { ...clean, STACK_DIR: `/proc/none${"/ü".repeat(300)}` };
  expect(await called(env, "scripts/stack.sh", "up")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("too long for PostgreSQL"),
  });
});

describe("a checkout that cannot be written", () => {
  it.each(["bootstrap.sh --local", "stack.sh up"])("is told as such by %s", async (command) => {
    const args = [join("scripts", command.split(" ")[0] ?? ""), ...command.split(" ").slice(1)];
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", ...args];
    await chmod(checkout, 0o555);
    const root = process.getuid?.() === 0;
    const { PAYMENTS_ENV_FILE: _, ...env } = clean; // to read one takes Node, which may lie where nobody else may look
    const { code, stderr } = await called(
      env,
      root ? "setpriv" : (args[0] ?? ""),
      ...(root ? nobody : args.slice(1)),
    );
    await chmod(checkout, 0o755);
    expect(stderr).toMatch(/^\w+\.sh: cannot write in .*checkout.*: run this as/m);
    expect(stderr).not.toMatch(/line \d+|mkdir:/);
    expect(code).toBe(1);
  });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BackupFolder } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase } from "./harness/database.js";
import { backups } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

const PASSPHRASE = "correct horse";
const has = (tool: string) => {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`]);
    return true;
  } catch {
    return false;
  }
};

let database: string;
let keys: string;
const folder = new BackupFolder();
beforeAll(async () => {
  database = await createDatabase("migrated"); // what is encrypted does not matter
  keys = mkdtempSync(join(tmpdir(), "keys-")); // short: gpg's agent listens on a socket in it
});
afterAll(async () => {
  if (has("gpg")) {
    execFileSync("gpgconf", ["--kill", "all"], { env: { ...process.env, GNUPGHOME: keys } });
  }
  rmSync(keys, { recursive: true, force: true });
  folder.remove();
  await dropDatabase(database);
});

const settings = (more: Record<string, string>) => ({
  ...testSettings({ POSTGRES_DB: database, BACKUP_DIR: folder.path }),
  ...more,
});

function plainFiles(id: string, suffix: string): string[] {
  return readdirSync(folder.file(id), { recursive: true, encoding: "utf8" }).filter(
    (name) =>
      !name.endsWith(suffix) && !["SHA256SUMS", "manifest.json", "dump", "verified.json"].includes(name),
  );
}

test.runIf(has("gpg"))("a custom dump for a gpg key opens with its passphrase only", async () => {
  const gpg = ["--batch", "--quiet", "--passphrase", PASSPHRASE, "--pinentry-mode", "loopback"];
  const key = ["--quick-generate-key", "backups@example.org", "future-default", "default", "never"];
  execFileSync("gpg", [...gpg, ...key], { env: { ...process.env, GNUPGHOME: keys }, stdio: "ignore" });
  const own = settings({ GNUPGHOME: keys, BACKUP_ENCRYPT_TO: "backups@example.org" });
  const unknown = await backups({ ...own, BACKUP_ENCRYPT_TO: "nobody@example.org" }, "backup");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/^payments: BACKUP_FAILED: .*nobody@example\.org.*\n$/);
  expect(folder.ids()).toEqual([]);

  expect(await backups(own, "backup", "--format", "custom")).toMatchObject({ code: 0 });
  const [id = ""] = folder.ids();
  expect(plainFiles(id, ".gpg")).toEqual([]);
  expect(readFileSync(folder.file(id, "dump.gpg")).includes("PGDMP")).toBe(false);

  // First: gpg's agent remembers the right one.
  const wrong = await backups({ ...own, BACKUP_PASSPHRASE: "wrong" }, "verify");
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/^payments: BACKUP_LOCKED: .*Check BACKUP_PASSPHRASE.*\n$/);
  expect(await backups({ ...own, BACKUP_PASSPHRASE: PASSPHRASE }, "verify")).toMatchObject({
    code: 0,
    stderr: "",
  });
  // Where nothing can be written beside it, it is decrypted elsewhere.
  const temporary = mkdtempSync(join(keys, "tmp-"));
  await folder.readOnly(async () => {
    const media = { ...own, BACKUP_PASSPHRASE: PASSPHRASE, TMPDIR: temporary };
    expect(await backups(media, "verify")).toMatchObject({ code: 0, stderr: "" });
  });
  expect(readdirSync(temporary)).toEqual([]);
  expect(folder.others()).toEqual([]);
});

test.runIf(has("age"))("a dump in directory format for an age key opens with that key only", async () => {
  const [mine, other] = ["mine", "other"].map((name) => {
    const path = join(keys, name);
    execFileSync("age-keygen", ["-o", path], { stdio: "ignore" });
    return { path, recipient: /public key: (age1\w+)/.exec(readFileSync(path, "utf8"))?.[1] ?? "" };
  });
  const own = settings({ BACKUP_ENCRYPT_TO: mine?.recipient ?? "" });
  expect(await backups(own, "backup")).toMatchObject({ code: 0 });
  const id = folder.ids().at(-1) ?? "";
  expect(plainFiles(id, ".age")).toEqual([]);
  const wrong = await backups({ ...own, BACKUP_AGE_IDENTITY: other?.path ?? "" }, "verify", "--backup", id);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/^payments: BACKUP_LOCKED: .*Check BACKUP_AGE_IDENTITY\.\n$/);
  expect(
    await backups({ ...own, BACKUP_AGE_IDENTITY: mine?.path ?? "" }, "verify", "--backup", id),
  ).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect(folder.others()).toEqual([]);
});

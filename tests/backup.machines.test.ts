import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { etl } from "../etl/module.js";
import { readContent } from "../jobs/backup/content.js";
import { drill } from "../jobs/backup/drill.js";
import { PlatformError } from "../lib/errors.js";
import { silentLogger } from "../lib/observability/log.js";
import { readMigrations } from "../lib/postgres/migrations.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { dropDatabase, withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";
import { backups, type CommandResult } from "./harness/process.js";

/** One run of two months, backed up; every test restores it into a database of its own. */
let platform: Platform;
let folder: BackupFolder;
let id: string;
beforeAll(async () => {
  folder = new BackupFolder();
  platform = await Platform.create({ BACKUP_DIR: folder.path });
  await platform.load({ rows: 4_000, fromOn: "2025-01-01", toOn: "2025-03-01", chunkRows: 1_000 });
  const { POSTGRES_DB: database } = platform.settings;
  await withPool({ role: "admin", database }, async (pool) => {
    // Which PostgreSQL prints otherwise, once a restore has read it back.
    await pool.query(
      `SET ROLE payments_owner; CREATE VIEW payments.reread AS SELECT account_id FROM payments.account
         WHERE (account_id, currency) IS DISTINCT FROM (1, 'USD') OR account_id = 7; RESET ROLE`,
    );
    // As a migration sets it, which a copy of a database does not take along.
    await pool.query(`ALTER DATABASE ${database} SET search_path = payments, public`);
    // Each of them would be restored dozens of times here.
    await pool.query(
      "DELETE FROM payments.account a WHERE NOT EXISTS (SELECT FROM txn t WHERE t.account_id = a.account_id)",
    );
    await pool.query(
      "DELETE FROM payments.terminal k WHERE NOT EXISTS (SELECT FROM txn t WHERE t.terminal_id = k.terminal_id)",
    );
  });
  const made = await backups(platform.settings, "backup");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  id = folder.ids()[0] ?? "";
});
afterAll(async () => {
  folder.remove();
  await platform.close();
});

function run(...args: string[]): Promise<CommandResult> {
  return backups(platform.settings, ...args);
}

async function databases(): Promise<string[]> {
  const { rows } = await withPool({ role: "admin" }, (pool) =>
    pool.query("SELECT datname FROM pg_database WHERE datname ~ '^(test_|drill_|restoring_)' ORDER BY 1"),
  );
  return rows.map((row: { datname: string }) => row.datname);
}

const value = (database: string, sql: string) =>
  withPool({ role: "admin", database }, async (pool) => Object.values((await pool.query(sql)).rows[0])[0]);

/** One line, that begins with the code. */
function expectError(result: CommandResult, exit: number, text: RegExp): void {
  expect(result.stderr).toMatch(text);
  expect(result.stderr.split("\n")).toHaveLength(2);
  expect(result.code).toBe(exit);
}

/** How a command would end that fails so, without the third of a second that a process takes. */
async function failure(work: Promise<unknown>): Promise<CommandResult> {
  const error = await work.then(
    () => new Error("did not fail"),
    (reason: unknown) => reason,
  );
  const code = error instanceof PlatformError ? error.exitCode : null;
  return { code, stdout: "", stderr: `payments: ${error}\n` };
}

describe("a backup", () => {
  test("says what is in it: the digests that payments verify computes, versions, the ledger's position", async () => {
    const manifest = folder.manifest(id);
    expect(manifest.schemaVersion).toBe(readMigrations(etl).at(-1)?.version);
    const chunks = await platform.value("SELECT count(*) FROM etl.chunk");
    const months = manifest.tables.filter(({ month }) => month !== null);
    expect(months.map((m) => `${m.month} ${m.rows} ${m.digest}`)).toEqual(await platform.digests());
    expect(manifest).toMatchObject({
      kind: "dump",
      database: platform.settings.POSTGRES_DB,
      ledger: [{ run: "r1", state: "done", chunksTotal: chunks, chunksCleaned: chunks, monthsDone: 2 }],
      encryption: null,
    });
    expect(manifest.tool).toContain(`pg_dump (PostgreSQL) ${Math.floor(manifest.serverVersionNum / 10_000)}`);
    expect(manifest.tables.find(({ table }) => table === "payments.account")?.rows).toBe(
      await platform.value("SELECT count(*) FROM account"),
    );
  });

  test("is this user's alone, holds no password, and sha256sum agrees with it", () => {
    expect(folder.open(id)).toEqual([]);
    expect(folder.others()).toEqual([]);
    const globals = readFileSync(folder.file(id, "globals.sql"), "utf8");
    expect(globals).toContain("CREATE ROLE payments_owner");
    expect(globals).not.toMatch(/PASSWORD|SCRAM/);
    execFileSync("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: folder.file(id) });
  });

  test("is in the history, as the exporter sees it", async () => {
    const { rows } = await withPool({ role: "exporter", database: platform.settings.POSTGRES_DB }, (pool) =>
      pool.query("SELECT * FROM ops.backup_status, ops.backup"),
    );
    expect(rows[0]).toMatchObject({ backup_id: id, state: "completed", last_ok: 1, failed_total: 0 });
    expect(rows[0].dump_bytes).toBe(folder.manifest(id).bytes);
  });

  test("verifies, in a database and in a server of its own; the scratch is gone, the result recorded", async () => {
    const before = await databases();
    expect(await run("verify")).toMatchObject({ code: 0, stderr: "" });
    const cluster = await run("verify", "--cluster", "--json");
    expect(cluster).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(cluster.stdout)).toMatchObject({ backup: id, place: "cluster", differences: 0 });
    expect(await databases()).toEqual(before);
    expect(
      await platform.value(
        "SELECT string_agg(place || ' ' || state, ', ' ORDER BY drill_id) FROM ops.restore_drill",
      ),
    ).toBe("database passed, cluster passed");
    expect((await run("restore", "--list")).stdout).toMatch(new RegExp(`${id}.* \\d{4}-\\d\\d-\\d\\dT`));
  });
});

/** Begins a row of txn, and of no other table. */
const TXN = /^\d+\t2025-01/;

type Damage = [what: string, exit: number, error: RegExp, damage: (copy: BackupFolder) => void];
const DAMAGES: Damage[] = [
  [
    "a flipped byte",
    3,
    /BACKUP_DAMAGED: .*dat\.gz is not what was written/,
    (copy) => {
      const path = copy.dataFile(id, TXN);
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  ],
  [
    "a truncated file",
    3,
    /BACKUP_DAMAGED: .*toc\.dat is not what/,
    (copy) => truncateSync(copy.file(id, "dump", "toc.dat"), 100),
  ],
  ["a missing file", 3, /BACKUP_DAMAGED: .*dat\.gz is missing/, (copy) => rmSync(copy.dataFile(id, TXN))],
  [
    "a file too many",
    3,
    /BACKUP_DAMAGED: .*dump\/9999\.dat is in no list/,
    (copy) => writeFileSync(copy.file(id, "dump", "9999.dat"), ""),
  ],
  [
    "no sums",
    3,
    /BACKUP_DAMAGED: .*SHA256SUMS cannot be read/,
    (copy) => rmSync(copy.file(id, "SHA256SUMS")),
  ],
  [
    "a manifest that was edited",
    3,
    /BACKUP_DAMAGED: .*manifest\.json is not what was written/,
    (copy) => copy.editManifest(id, ({ tables }) => tables.pop()),
  ],
  [
    "a wrong manifest whose sums agree",
    3,
    /RESTORE_MISMATCH: .*table payments\.account: expected 99999 rows, .*found \d+ rows/,
    (copy) => {
      copy.editManifest(id, ({ tables }) => {
        const account = tables.find(({ table }) => table === "payments.account");
        Object.assign(account ?? {}, { rows: 99_999 });
      });
      copy.renewSums(id);
    },
  ],
  [
    "a manifest of no kind that we know, whose sums agree",
    3,
    /BACKUP_DAMAGED: .*manifest\.json is not one of ours/,
    (copy) => {
      copy.editManifest(id, (manifest) => Object.assign(manifest, { version: 2 }));
      copy.renewSums(id);
    },
  ],
  [
    "a valid dump in which one amount was changed",
    3,
    /RESTORE_MISMATCH: .*table payments\.txn_2025_0\d: expected \d+ rows, digest (\w+), found \d+ rows, digest (?!\1)/,
    (copy) => {
      copy.editData(copy.dataFile(id, TXN), (rows) =>
        rows.replace(/\t(\d+)\.\d\d\t/, (_, units: string) => `\t${Number(units) + 1}.00\t`),
      );
      copy.renewSums(id);
    },
  ],
  [
    "an index that the dump does not make",
    3,
    /RESTORE_MISMATCH: .*index payments\.more_idx: .*expected there, found missing/,
    (copy) => {
      copy.editManifest(id, ({ objects }) =>
        objects.push("index payments.more_idx: CREATE INDEX more_idx ON payments.txn (amount)"),
      );
      copy.renewSums(id);
    },
  ],
  [
    "a dump that pg_restore cannot read, whose sums agree",
    1,
    /RESTORE_FAILED: .*could not be verified: pg_restore ended with 1/,
    (copy) => {
      writeFileSync(copy.file(id, "dump", "toc.dat"), "PGDMP");
      copy.renewSums(id);
    },
  ],
];

test("a backup made before the manifest told what is not the platform's own verifies still", async () => {
  const copy = folder.copy(id);
  copy.editManifest(id, (manifest) => {
    const { others, leftOut, extensions, roleSettings, connectionLimit, comment, ...old } = manifest;
    const objects = old.objects.filter((line) => !/^(right (schema|database)|sequence .*:)/.test(line));
    for (const key of Object.keys(manifest)) {
      Reflect.deleteProperty(manifest, key);
    }
    Object.assign(manifest, { ...old, objects });
  });
  copy.renewSums(id);
  const settings = { ...platform.settings, BACKUP_DIR: copy.path };
  expect(await drill(settings, silentLogger, { place: "database" })).toMatchObject({ differences: 0 });
  copy.remove();
});

test("a backup made when definitions had all parentheses verifies still, and names the view that is printed otherwise", async () => {
  const copy = folder.copy(id);
  const database = { database: platform.settings.POSTGRES_DB };
  const { objects, others = [] } = await withPool({ role: "admin", ...database }, (pool) =>
    readContent(pool, 1),
  );
  copy.editManifest(id, (manifest) => {
    Object.assign(manifest, { objects, others });
    Reflect.deleteProperty(manifest, "definitions");
  });
  copy.renewSums(id);
  const settings = { ...platform.settings, BACKUP_DIR: copy.path };
  const { named } = await drill(settings, silentLogger, { place: "database" });
  expect(named.map(({ what }) => what.replace(/ \w{32}$/, ""))).toEqual([
    "view payments.reread",
    "view payments.reread",
  ]);
  copy.remove();
});

describe("verification finds", () => {
  test.each(DAMAGES)("%s", async (_, exit, error, damage) => {
    const copy = folder.copy(id);
    const before = await databases();
    damage(copy);
    const settings = { ...platform.settings, BACKUP_DIR: copy.path };
    expectError(await failure(drill(settings, silentLogger, { place: "database" })), exit, error);
    expect(await databases()).toEqual(before);
    expect(await platform.value("SELECT state FROM ops.restore_drill ORDER BY drill_id DESC LIMIT 1")).toBe(
      "failed",
    );
    copy.remove();
  });
});

describe("a restore", () => {
  test("makes a database that a client finds as it was, and a dry run makes none", async () => {
    const into = freshName();
    const dry = await run("restore", "--into", into, "--dry-run");
    expect(dry.stdout).toMatch(new RegExp(`^would restore ${id} .* into ${into}, which is missing\n$`));
    expect(await databases()).not.toContain(into);
    expect(await run("restore", "--into", into)).toMatchObject({ code: 0 });
    expect(
      await value(
        into,
        "SELECT setconfig[1] FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()",
      ),
    ).toBe("search_path=payments, public");
    expect(await value(into, "SELECT count(*) FROM payments.txn")).toBe(
      await platform.value("SELECT count(*) FROM txn"),
    );
    expect(
      await value(into, "SELECT has_database_privilege('payments_reader', current_database(), 'CONNECT')"),
    ).toBe(
      await platform.value("SELECT has_database_privilege('payments_reader', current_database(), 'CONNECT')"),
    );
    await dropDatabase(into);
  });

  test("refuses a target that holds data, unless forced and its name typed; then it keeps what was there", async () => {
    const into = freshName();
    await run("restore", "--into", into);
    await withPool({ role: "admin", database: into }, (pool) => pool.query("CREATE TABLE payments.mark ()"));
    const marked = () => value(into, "SELECT to_regclass('payments.mark') IS NOT NULL");
    expectError(
      await run("restore", "--into", into),
      2,
      /^payments: RESTORE_REFUSED: database test_\w+ is not empty\. .*--force/,
    );
    expect(await marked()).toBe(true);
    const wrong = await run("restore", "--into", into, "--force", "< other\n");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/RESTORE_REFUSED: what was typed is not test_\w+; nothing was changed\.\n$/);
    expect((await run("restore", "--into", into, "--force", "< ")).code).toBe(2);
    expect(await marked()).toBe(true);

    const done = await run("restore", "--into", into, "--force", "--json", `< ${into}\n`);
    expect(done.code).toBe(0);
    const { replaced } = JSON.parse(done.stdout) as { replaced: string };
    expect(await marked()).toBe(false);
    expect(await value(replaced, "SELECT to_regclass('payments.mark') IS NOT NULL")).toBe(true);
    await dropDatabase(into);
    await dropDatabase(replaced);
  });

  test("of a damaged backup leaves the target as it was", async () => {
    const copy = folder.copy(id);
    copy.editData(copy.dataFile(id, TXN), (rows) => rows.replace("\tpos\t", "\tecom\t"));
    copy.renewSums(id);
    const settings = { ...platform.settings, BACKUP_DIR: copy.path };
    const name = platform.settings.POSTGRES_DB;
    const before = [await databases(), await platform.digests()];
    const failed = await backups(settings, "restore", "--force", `< ${name}\n`);
    expect(failed.code).toBe(3);
    expect(failed.stderr).toContain("RESTORE_MISMATCH");
    expect([await databases(), await platform.digests()]).toEqual(before);
    copy.remove();
  });
});

/** A PATH with just what is named, and what every command needs. */
function pathWith(...names: string[]): string {
  const bin = join(folder.path, "bin");
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  for (const name of ["setpriv", "flock", "sh", "cat", ...names]) {
    symlinkSync(
      execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim(),
      join(bin, name),
    );
  }
  return bin;
}

describe("bad use gets one line and changes nothing", () => {
  const away = "dump-20200101T000000000Z";
  test.each<[string, number, RegExp, string[], Record<string, string>]>([
    ["an unknown id", 2, /BACKUP_UNKNOWN: there is no dump dump-2020/, ["restore", "--backup", away], {}],
    ["an unknown id to verify", 2, /BACKUP_UNKNOWN/, ["verify", "--backup", away], {}],
    ["an id that is a path", 2, /BACKUP_UNKNOWN/, ["verify", "--backup", "../../etc"], {}],
    [
      "no backup at all",
      2,
      /BACKUP_UNKNOWN: there is no dump in/,
      ["verify"],
      { BACKUP_DIR: "/tmp/payments-no-backups" },
    ],
    ["a wrong password", 1, /POSTGRES_AUTH/, ["backup"], { POSTGRES_BACKUP_PASSWORD: "wrong" }],
    [
      "a role without rights",
      1,
      /BACKUP_FAILED: .*permission denied/,
      ["backup"],
      { POSTGRES_BACKUP_USER: "payments_loader" },
    ],
    ["no server", 1, /POSTGRES_UNREACHABLE/, ["backup"], { POSTGRES_PORT: "1" }],
    [
      "a folder that cannot be made",
      1,
      /BACKUP_FAILED: .*BACKUP_DIR/,
      ["backup"],
      { BACKUP_DIR: "/dev/null/none" },
    ],
    [
      "a target that is no name",
      2,
      /RESTORE_REFUSED: .*no name for a database/,
      ["restore", "--into", "No Name"],
      {},
    ],
    [
      "PostgreSQL's own database",
      2,
      /RESTORE_REFUSED: .*no name for a database/,
      ["restore", "--into", "postgres"],
      {},
    ],
  ])("%s", async (_, exit, error, args, more) => {
    const before = [folder.ids(), folder.others(), await databases()];
    const settings = { ...platform.settings, ...more };
    const password =
      more["POSTGRES_BACKUP_USER"] === undefined
        ? {}
        : { POSTGRES_BACKUP_PASSWORD: settings.POSTGRES_PASSWORD };
    expectError(await backups({ ...settings, LOG_LEVEL: "error", ...password }, ...args), exit, error);
    expect([folder.ids(), folder.others(), await databases()]).toEqual(before);
  });

  test("a missing tool", async () => {
    const settings = { ...platform.settings, BACKUP_ENCRYPT_TO: "someone", PATH: pathWith() };
    expectError(await backups(settings, "backup"), 1, /TOOL_MISSING: gpg is missing\. Install: gnupg\./);
    expect(folder.ids()).toEqual([id]);
    rmSync(join(folder.path, "bin"), { recursive: true });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PlatformError } from "../lib/errors.js";
import { packageRoot } from "../lib/root.js";
import { pathNames, secretNames, settingNames } from "../lib/settings/define.js";
import { renderEnvExample } from "./generate.js";
import { DECLARATIONS, loadAllSettings } from "./settings.js";

const NAMES = settingNames(DECLARATIONS);
const SECRETS = secretNames(DECLARATIONS);
const byDefault = DECLARATIONS.map(({ schema }) => schema.parse({}));
const defaults = {
  ...Object.assign({}, ...byDefault),
  BACKUP_DIR: join(packageRoot, "backups"),
  SIMULATOR_BOOK_PATH: join(packageRoot, ".local/gateway_book.ndjson"),
};

const folder = mkdtempSync(join(tmpdir(), "settings-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileWith(text: string): string {
  const path = join(folder, `file${files++}`);
  writeFileSync(path, text);
  return path;
}

interface Given {
  flags?: Record<string, string>;
  env?: Record<string, string>;
  file?: string;
}

const load = ({ flags = {}, env = {}, file = "" }: Given) =>
  loadAllSettings({ flags, env, envFile: fileWith(file) });

function refusal(given: Given): string {
  try {
    load(given);
  } catch (error) {
    if (error instanceof PlatformError && error.code === "SETTINGS_INVALID") {
      return String(error);
    }
    throw error;
  }
  return "accepted";
}

describe("precedence", () => {
  const [flags, env, file] = [{ STAGE_SEED: "4" }, { STAGE_SEED: "3" }, "STAGE_SEED=2"];

  it.each([
    [{ flags, env, file }, 4],
    [{ env, file }, 3],
    [{ file }, 2],
    [{}, 1],
    [{ flags: { STAGE_SEED: "" }, env: { STAGE_SEED: "" }, file }, 2],
    [{ env: { STAGE_SEED: "" } }, 1],
  ])("flag, environment, .env, default; empty is unset: %o", (given, seed) => {
    expect(load(given).STAGE_SEED).toBe(seed);
  });

  it("needs neither file nor environment", () => {
    expect(loadAllSettings({ env: {}, envFile: join(folder, "missing") })).toEqual(defaults);
  });
});

describe("secrets from files", () => {
  it.each(["pass", "pass\n", "pass\r\n"])("are read without the last newline: %j", (text) => {
    const env = { POSTGRES_PASSWORD_FILE: fileWith(text) };
    expect(load({ env }).POSTGRES_PASSWORD).toBe("pass");
  });

  it("keep blanks and inner newlines", () => {
    expect(load({ env: { RABBITMQ_PASSWORD_FILE: fileWith(" a\nb \n") } }).RABBITMQ_PASSWORD).toBe(" a\nb ");
  });

  it("can be named in .env", () => {
    expect(load({ file: `POSTGRES_PASSWORD_FILE=${fileWith("pass")}` }).POSTGRES_PASSWORD).toBe("pass");
  });

  it("give way to the value itself where both are set", () => {
    const env = { POSTGRES_PASSWORD: "value", POSTGRES_PASSWORD_FILE: fileWith("file") };
    expect(load({ env }).POSTGRES_PASSWORD).toBe("value");
  });

  it("of the environment go before a value in .env", () => {
    const env = { POSTGRES_PASSWORD_FILE: fileWith("from the environment") };
    expect(load({ env, file: "POSTGRES_PASSWORD=from_the_file" }).POSTGRES_PASSWORD).toBe(
      "from the environment",
    );
  });

  it("that are missing are named", () => {
    expect(refusal({ env: { POSTGRES_PASSWORD_FILE: join(folder, "none") } })).toContain(
      "POSTGRES_PASSWORD_FILE",
    );
  });

  it("are for secrets only", () => {
    expect(refusal({ file: `POSTGRES_HOST_FILE=${fileWith("h")}` })).toContain("POSTGRES_HOST_FILE: unknown");
  });
});

describe(".env", () => {
  it("is the checkout's, unless PAYMENTS_ENV_FILE names another, which must then be there", () => {
    const before = process.env["PAYMENTS_ENV_FILE"];
    try {
      process.env["PAYMENTS_ENV_FILE"] = fileWith("STAGE_SEED=7");
      expect(loadAllSettings({ env: {} }).STAGE_SEED).toBe(7);
      process.env["PAYMENTS_ENV_FILE"] = join(folder, "missing");
      expect(() => loadAllSettings({ env: {} })).toThrow(/^PAYMENTS_ENV_FILE: ENOENT.*missing'\.$/);
    } finally {
      if (before === undefined) {
        delete process.env["PAYMENTS_ENV_FILE"];
      } else {
        process.env["PAYMENTS_ENV_FILE"] = before;
      }
    }
  });

  it("with lines that nobody understands is refused, naming file and lines", () => {
    const text = refusal({ file: "STAGE_SEED 2\n\nPOSTGRES_PASSWORD='hunter2\n" });
    expect(text).toMatch(/file\d+:1: is not NAME=value/);
    expect(text).toMatch(/file\d+:3: POSTGRES_PASSWORD: the quote/);
    expect(text).not.toContain("hunter2");
  });

  it("may hold what stack.sh takes from there", () => {
    expect(refusal({ file: "STACK_MEMORY_MB=2048" })).toBe("accepted");
    expect(refusal({ file: "STACK_DIR=x" })).toContain("STACK_DIR: belongs in the environment, not in .env.");
  });
});

describe("paths", () => {
  it.each(["BACKUP_DIR", "BACKUP_WAL_DIR", "BACKUP_AGE_IDENTITY"] as const)(
    "%s is relative to the checkout, or to the home directory after ~",
    (name) => {
      expect(load({ file: `${name}=a/../b` })[name]).toBe(join(packageRoot, "b"));
      expect(load({ env: { [name]: "~/x" } })[name]).toBe(join(homedir(), "x"));
      expect(load({ flags: { [name]: "/x y" } })[name]).toBe("/x y");
      expect(refusal({ env: { [name]: "~else/x" } })).toContain(`${name}: `);
      expect(refusal({ env: { [name]: "$HOME/x" } })).toContain(`${name}: `);
    },
  );

  it("of secrets follow the same rule", () => {
    expect(refusal({ env: { POSTGRES_PASSWORD_FILE: "~/no such file" } })).toContain(homedir());
    expect(refusal({ env: { POSTGRES_PASSWORD_FILE: "no such file" } })).toContain(packageRoot);
    expect(refusal({ env: { POSTGRES_PASSWORD_FILE: "$HOME/x" } })).toContain("only a shell expands");
  });

  it("are marked as such, all of them", () => {
    const named = NAMES.filter((name) => /_(DIR|FILE|PATH|IDENTITY)$/.test(name));
    expect(pathNames(DECLARATIONS)).toEqual(named);
  });
});

describe("bad settings", () => {
  it.each([
    ["POSTGRES_PORT", "0"],
    ["POSTGRES_PORT", "65536"],
    ["POSTGRES_PORT", "http"],
    ["POSTGRES_DB", "pay;ments"],
    ["POSTGRES_DB", "x".repeat(64)],
    ["POSTGRES_DB", "pay-ments"],
    ["POSTGRES_DB", "postgres"],
    ["POSTGRES_READ_MAX_LAG_S", "1"],
    ["STAGE_TARGET_TXN", "-1"],
    ["STAGE_TARGET_TXN", "1.5"],
    ["STAGE_TARGET_TXN", "1_000"],
    ["STAGE_TARGET_TXN", "Infinity"],
    ["STAGE_CHUNK_SIZE", "0"],
    ["STAGE_SEED", "4294967296"],
    ["STAGE_FROM", "2025-02-30"],
    ["STAGE_FROM", "01.02.2025"],
    ["STAGE_DIRT_RATE", "1.01"],
    ["STAGE_FRAUD_RATE", "one percent"],
    ["STAGE_FRAUD_DIFFICULTY", "Hard"],
    ["WORKER_CONCURRENCY", "65"],
    ["LOG_LEVEL", "loud"],
  ])("%s=%j is refused by name", (name, value) => {
    expect(refusal({ env: { [name]: value } })).toContain(`${name}: `);
  });

  it("that are blank are never taken for 0", () => {
    const given = { env: { STAGE_DIRT_RATE: " " } };
    const outcome = refusal(given) === "accepted" ? load(given).STAGE_DIRT_RATE : "refused";
    expect(["refused", 0.01]).toContain(outcome);
  });

  it("are all named at once", () => {
    const text = refusal({
      env: { POSTGRES_PORT: "x", STAGE_CHUNKSIZE: "5", POSTGRES_ADMIN_PASSWORD_FILE: join(folder, "none") },
      file: "STAGE_SEED=-1\nPOSTGRES_PROT=1\n",
    });
    for (const name of [
      "POSTGRES_PORT",
      "STAGE_CHUNKSIZE",
      "POSTGRES_ADMIN_PASSWORD_FILE",
      "STAGE_SEED",
      "POSTGRES_PROT",
    ]) {
      expect(text).toContain(`${name}: `);
    }
    expect(text).toContain(".env.example");
  });

  it.each<[string, Given, boolean]>([
    ["a STAGE_ or WORKER_ name in the environment", { env: { STAGE_ROWS: "1" } }, false],
    ["a WORKER_ name in the environment", { env: { WORKER_COUNT: "1" } }, false],
    [
      "any other in the environment, which is not ours alone",
      { env: { POSTGRES_VERSION: "16", PATH: "/" } },
      true,
    ],
    ["any in .env", { file: "POSTGRES_VERSION=16" }, false],
    ["Docker's own in .env", { file: "COMPOSE_PROJECT_NAME=p\nDOCKER_HOST=unix:///x" }, true],
  ])("unknown: %s", (_, given, accepted) => {
    expect(refusal(given) === "accepted").toBe(accepted);
  });

  it("from must be before to", () => {
    expect(refusal({ env: { STAGE_FROM: "2026-01-01" } })).toContain("STAGE_FROM: ");
    expect(refusal({ env: { STAGE_FROM: "2025-12-31" } })).toBe("accepted");
  });

  it("never show a secret, nor any other value of the wrong kind", () => {
    const text = refusal({
      env: {
        POSTGRES_PASSWORD: "hunter2",
        POSTGRES_PORT: "hunter2",
        LOG_LEVEL: "hunter2",
        POSTGRES_DB: "Hunter2",
        STAGE_PASSWORD: "hunter2",
      },
      flags: { STAGE_SEED: "hunter2" },
      file: "RABBITMQ_PASSWORD=hunter2\nRABBIT_PASSWORD=hunter2",
    });
    expect(text).toContain("STAGE_SEED");
    expect(text.toLowerCase()).not.toContain("hunter2");
  });
});

describe(".env.example", () => {
  it("names every setting once, at its default, secrets without value", () => {
    const text = renderEnvExample(DECLARATIONS);
    for (const name of NAMES) {
      expect(text.match(new RegExp(`^#${name}=`, "gm"))).toHaveLength(1);
    }
    for (const name of SECRETS) {
      expect(text).toContain(`#${name}=\n`);
    }
    const uncommented = text.replaceAll(/^#(?=[A-Z_]+=)/gm, "");
    expect(load({ file: uncommented })).toEqual(defaults);
  });

  it("says of every setting what it means", () => {
    const settings = DECLARATIONS.flatMap(({ schema }) => Object.entries(schema.shape));
    expect(settings.filter(([, setting]) => !setting.description)).toEqual([]);
    // A database's address has a password in it.
    const secret = /PASS(WORD|PHRASE)$|_API_KEYS?$|_SECRETS?$|_DATABASE_URL$/;
    expect(SECRETS).toEqual(NAMES.filter((name) => secret.test(name)));
  });
});

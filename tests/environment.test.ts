import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

const folder = mkdtempSync(join(tmpdir(), "environment-"));
afterAll(() => rmSync(folder, { recursive: true }));
const noise = join(folder, "noise.sh");
writeFileSync(noise, "echo noise\n");

/** What a script of ours says that has sourced lib.sh in a shell with these variables. */
function script(body: string, env: Record<string, string>): string {
  const file = join(folder, "script.sh");
  writeFileSync(file, `set -euo pipefail\nsource '${packageRoot}/scripts/lib.sh'\ncd '${folder}'\n${body}\n`);
  const own = { PATH: process.env["PATH"] ?? "", HOME: folder };
  // A socket for standard input would make bash believe that rshd started it.
  return execFileSync("bash", [file], {
    env: { ...own, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

describe("scripts do not hear what the user's shell says to others", () => {
  it("a BASH_ENV that prints does so once, not into what a script reads from another", () => {
    expect(script(`echo "[$(bash -c 'echo child')]"`, { BASH_ENV: noise })).toBe("noise\n[child]\n");
  });

  it("exported shell options and functions", () => {
    const overwrite = "echo 1 >twice; echo 2 >twice; echo twic?";
    expect(script(overwrite, { SHELLOPTS: "noclobber:noglob" })).toBe("twice\n");
    expect(script("echo no-such-*", { BASHOPTS: "nullglob:failglob" })).toBe("no-such-*\n");
    expect(script("printf 'x\\n' | grep x", { "BASH_FUNC_grep%%": "() { echo no; }" })).toBe("x\n");
  });

  it("POSIX mode, in which options after operands are files", () => {
    expect(
      script("touch a; chmod 600 -- a; ls a -1; [[ -o posix ]] || echo bash", { POSIXLY_CORRECT: "1" }),
    ).toBe("a\nbash\n");
  });

  it("PG*, but for the names of the database and the way to it, where a script is for any", () => {
    const leaks = {
      PGOPTIONS: "-c x=1",
      PGSERVICE: "s",
      PGHOSTADDR: "1.2.3.4",
      PGPASSFILE: "/x",
    };
    const way = { PGTARGETSESSIONATTRS: "read-write", PGSSLMODE: "verify-full", PGSSLROOTCERT: "/ca.pem" };
    const kept = { PGHOST: "h", PGPORT: "1", PGUSER: "u", PGPASSWORD: "p", PGDATABASE: "d", ...way };
    expect(
      script(`for name in "\${!PG@}"; do echo "$name"; done`, { ...leaks, ...kept })
        .trim()
        .split("\n"),
    ).toEqual(Object.keys(kept).sort());
  });

  it("locales: decimal points and the order of names are ours", () => {
    expect(
      script("printf 'b\\nA\\na\\n' | sort | tr '\\n' ' '; printf '%.1f' 1.5", { LC_ALL: "de_DE.UTF-8" }),
    ).toBe("A a b 1.5");
  });
});

import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { DumpManifest } from "../../jobs/backup/manifest.js";

/** A BACKUP_DIR of a test's own. */
export class BackupFolder {
  readonly path = mkdtempSync(join(tmpdir(), "payments-backups-"));

  /** Names of the backups in it, oldest first. */
  ids(): string[] {
    return readdirSync(this.path)
      .filter((name) => /^(dump|base)-[0-9TZ]+$/.test(name))
      .sort();
  }

  /** Whatever lies in it beside backups and the lock. */
  others(): string[] {
    return readdirSync(this.path).filter((name) => name !== ".lock" && !this.ids().includes(name));
  }

  file(id: string, ...names: string[]): string {
    return join(this.path, id, ...names);
  }

  manifest(id: string): DumpManifest {
    return JSON.parse(readFileSync(this.file(id, "manifest.json"), "utf8"));
  }

  /** One backup in a folder of its own, to be damaged. */
  copy(id: string): BackupFolder {
    const copy = new BackupFolder();
    cpSync(this.file(id), copy.file(id), { recursive: true });
    return copy;
  }

  /** The data file of the table whose rows look like this. */
  dataFile(id: string, rows: RegExp): string {
    const found = readdirSync(this.file(id, "dump"))
      .filter((name) => name.endsWith(".dat.gz"))
      .map((name) => this.file(id, "dump", name))
      .find((path) => rows.test(gunzipSync(readFileSync(path)).toString("latin1")));
    if (found === undefined) {
      throw new Error(`no data file holds ${rows}`);
    }
    return found;
  }

  editData(path: string, edit: (rows: string) => string): void {
    writeFileSync(path, gzipSync(edit(gunzipSync(readFileSync(path)).toString("utf8"))));
  }

  editManifest(id: string, edit: (manifest: DumpManifest) => void): void {
    const manifest = this.manifest(id);
    edit(manifest);
    writeFileSync(this.file(id, "manifest.json"), JSON.stringify(manifest));
  }

  /** What an attacker, or a backup made wrongly, would also do. */
  renewSums(id: string): void {
    const sums = readFileSync(this.file(id, "SHA256SUMS"), "utf8").replaceAll(
      /^\w+ {2}(.*)$/gm,
      (_, name: string) =>
        `${createHash("sha256")
          .update(readFileSync(this.file(id, name)))
          .digest("hex")}  ${name}`,
    );
    writeFileSync(this.file(id, "SHA256SUMS"), sums);
  }

  /** Access bits of every file and folder that are not just their owner's. */
  open(id: string): string[] {
    const all = ["", ...readdirSync(this.file(id), { recursive: true, encoding: "utf8" })];
    return all.filter((name) => (statSync(this.file(id, name)).mode & 0o077) !== 0);
  }

  /** Runs `work` while nobody may write into it. For root only a file system is read-only; for others lacking rights are enough. */
  async readOnly(work: () => Promise<void>): Promise<void> {
    const root = process.getuid?.() === 0;
    const everything = [this.path, ...this.ids().map((id) => this.file(id))];
    if (root) {
      execFileSync("mount", ["--bind", this.path, this.path]);
      execFileSync("mount", ["-o", "remount,ro,bind", this.path]);
    } else {
      for (const path of everything) {
        chmodSync(path, 0o500);
      }
    }
    try {
      await work();
    } finally {
      if (root) {
        execFileSync("umount", [this.path]);
      } else {
        for (const path of everything) {
          chmodSync(path, 0o700);
        }
      }
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const freshName = () => `test_${randomBytes(6).toString("hex")}`;

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { codeOf } from "../../lib/errors.js";

/** As `sha256sum` writes and checks it, so that a backup can be checked with nothing of ours. */
export const SUMS = "SHA256SUMS";
export const MANIFEST = "manifest.json";
/** When a restore of it was last compared and found equal. */
export const VERIFIED = "verified.json";
/** In a folder that we are making or removing; see leftovers.ts. */
export const UNFINISHED = ".unfinished";

/** Every file below a folder, by its path from there, in order; without our own marks at its top. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => file !== UNFINISHED && !isVerifiedMark(file))
    .sort();
}

/** The mark itself, and what is left of one whose writer was killed. */
const isVerifiedMark = (file: string) => file === VERIFIED || /^verified\.json\.(\d+\.)?new$/.test(file);

export async function sizeOf(folder: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Writes SHA256SUMS over `files`. */
export async function writeSums(folder: string, files: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) {
    lines.push(`${await sha256(join(folder, file))}  ${file}\n`);
  }
  await writeFile(join(folder, SUMS), lines.join(""), { mode: 0o600 });
}

/**
 * Compares a folder with its SHA256SUMS.
 *
 * @param loose folders below whose files need not be listed: they have sums of their own.
 * @returns what is wrong, in words; empty when nothing is.
 */
export async function checkSums(folder: string, loose: readonly string[] = []): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(join(folder, SUMS), "utf8");
  } catch (error) {
    return [`${SUMS} cannot be read (${codeOf(error)})`];
  }
  const problems: string[] = [];
  const listed = new Set<string>([SUMS]);
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [, sum, file] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (sum === undefined || file === undefined || file.split("/").includes("..")) {
      problems.push(`${SUMS} is malformed`);
      continue;
    }
    listed.add(file);
    const found = await sha256(join(folder, file)).catch((error: unknown) => {
      problems.push(
        codeOf(error) === "ENOENT" ? `${file} is missing` : `${file} cannot be read (${codeOf(error)})`,
      );
      return undefined;
    });
    if (found !== undefined && found !== sum) {
      problems.push(`${file} is not what was written`);
    }
  }
  if (!listed.has(MANIFEST)) {
    problems.push(`${SUMS} does not list ${MANIFEST}`);
  }
  for (const file of await listFiles(folder)) {
    if (!listed.has(file) && !loose.some((prefix) => file.startsWith(`${prefix}/`))) {
      problems.push(`${file} is in no list`);
    }
  }
  return problems;
}

/** Has the kernel write a file or folder to disk: a rename alone may reach it before the content does. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

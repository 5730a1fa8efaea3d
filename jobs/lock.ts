import { spawn } from "node:child_process";
import { once } from "node:events";
import { PlatformError } from "../lib/errors.js";

/**
 * Holds a lock on a file for the length of `work`: exclusive for what changes the folder, shared for what only reads it. The
 * kernel gives it back when we die: flock's child reads from us and ends with us.
 *
 * @throws PlatformError BACKUP_BUSY at once when somebody else has it.
 */
export async function withLock<T>(
  file: string,
  mode: "exclusive" | "shared",
  work: () => Promise<T>,
): Promise<T> {
  const args = [`--${mode}`, "--nonblock", file, "sh", "-c", "echo locked; exec cat >/dev/null"];
  // In a session of its own: Ctrl-C is for us alone, and must not give the lock back before the work has ended.
  const holder = spawn("flock", args, { stdio: ["pipe", "pipe", "ignore"], detached: true });
  holder.stdin.on("error", () => undefined);
  const closed = once(holder, "close");
  const locked = await Promise.race([once(holder.stdout, "data").then(() => true), closed.then(() => false)]);
  if (!locked) {
    throw new PlatformError("BACKUP_BUSY", `another backup, restore or drill holds ${file}.`, {
      hint: `Wait for it, or find it: fuser -v '${file}'.`,
    });
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await closed;
  }
}

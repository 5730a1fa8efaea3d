import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withLock } from "./lock.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, ".lock");
const codes = { exclusive: "BACKUP_FAILED", shared: "RESTORE_FAILED", busy: "BACKUP_BUSY" };

it("lets readers in together, and nobody in beside one who changes the folder", async () => {
  await withLock(file(), "shared", async () => {
    expect(await withLock(file(), "shared", async () => "read")).toBe("read");
    await expect(withLock(file(), "exclusive", async () => 1)).rejects.toMatchObject({ code: codes.busy });
  });
  await withLock(file(), "exclusive", async () => {
    await expect(withLock(file(), "shared", async () => 1)).rejects.toMatchObject({ code: codes.busy });
  });
  // Given back, also by work that failed.
  await expect(withLock(file(), "exclusive", () => Promise.reject(new Error("work")))).rejects.toThrow(
    "work",
  );
  expect(await withLock(file(), "exclusive", async () => "again")).toBe("again");
});

it("takes a file that a dead process left for what it is", async () => {
  writeFileSync(file(), "4711\n");
  expect(await withLock(file(), "exclusive", async () => "mine")).toBe("mine");
});

it("does not hold for busy what cannot be locked, and reads what cannot be changed", async () => {
  const nowhere = join(folder, "none", ".lock");
  const failed = withLock(nowhere, "exclusive", async () => 1);
  await expect(failed).rejects.toMatchObject({
    code: codes.exclusive,
    message: expect.stringContaining("ENOENT"),
  });
  expect(await withLock(nowhere, "shared", async () => "read")).toBe("read");
  writeFileSync(join(folder, "plain"), "");
  const odd = withLock(join(folder, "plain", ".lock"), "shared", async () => 1);
  await expect(odd).rejects.toMatchObject({
    code: codes.shared,
    message: expect.stringContaining("ENOTDIR"),
  });
});

it("does not hold for busy a file system without locks, or a machine without flock", async () => {
  const flock = join(folder, "flock");
  vi.stubEnv("PATH", folder);
  try {
    const missing = withLock(file(), "shared", async () => 1);
    await expect(missing).rejects.toMatchObject({ code: "TOOL_MISSING" });
    writeFileSync(flock, "#!/bin/sh\necho 'flock: No locks available' >&2\nexit 71\n");
    chmodSync(flock, 0o700);
    const without = withLock(file(), "exclusive", async () => 1);
    await expect(without).rejects.toMatchObject({
      code: codes.exclusive,
      message: expect.stringContaining("No locks available"),
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

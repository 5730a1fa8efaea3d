import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CoreError } from "../../lib/core_errors.js";
import { messageOf, PlatformError } from "../../lib/errors.js";
import { withCode } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import type { DumpManifest } from "./manifest.js";
import { execute } from "./postgres_tool.js";

type Encryption = NonNullable<DumpManifest["encryption"]>;

/** Keys of this keyring only: gpg would look a mistyped address up in the network, and encrypt to whoever it finds. */
const GPG = ["--batch", "--yes", "--quiet", "--no-tty", "--no-auto-key-locate"];

/** What each tool takes before `--output to from`, and what to check when it does not decrypt. */
const TOOLS = {
  age: {
    package: "age",
    encrypt: (recipient: string) => ["--recipient", recipient],
    decrypt: (settings: BackupSettings) => ["--decrypt", "--identity", settings.BACKUP_AGE_IDENTITY],
    hint: "Check BACKUP_AGE_IDENTITY.",
  },
  gpg: {
    package: "gnupg",
    // Whose key it is was decided by whoever set it, and pg_dump compresses.
    encrypt: (key: string) => [
      ...GPG,
      "--trust-model=always",
      "--compress-algo=none",
      "--recipient",
      key,
      "--encrypt",
    ],
    decrypt: () => [...GPG, "--pinentry-mode=loopback", "--passphrase-fd=0", "--decrypt"],
    hint: "Check BACKUP_PASSPHRASE and the keys of GNUPGHOME.",
  },
};

/** Which tool a recipient is for: age's and SSH's public keys say what they are, anything else names a key of gpg's. */
export function encryptionOf({ BACKUP_ENCRYPT_TO: recipient }: BackupSettings): Encryption | null {
  if (recipient === "") {
    return null;
  }
  return { tool: /^(age1|ssh-)/.test(recipient) ? "age" : "gpg", recipient };
}

/** @throws PlatformError TOOL_MISSING when the tool is not installed; nothing has been written then. */
export async function requireTool({ tool }: Encryption): Promise<void> {
  await execute(tool, ["--version"]).catch((cause: unknown) => {
    const hint = `Install: ${TOOLS[tool].package}.`;
    throw new CoreError("TOOL_MISSING", `${tool} is missing.`, { hint, cause });
  });
}

/** Replaces files by encrypted ones of the same name and a suffix. */
export async function encryptFiles(
  folder: string,
  files: readonly string[],
  { tool, recipient }: Encryption,
  signal?: AbortSignal,
): Promise<void> {
  for (const file of files) {
    const from = join(folder, file);
    const args = [...TOOLS[tool].encrypt(recipient), "--output", `${from}.${tool}`, from];
    await execute(tool, args, { signal }).catch((cause: unknown) => {
      if (cause instanceof PlatformError) {
        throw cause;
      }
      throw new Error(`it cannot be encrypted to ${recipient} (${messageOf(cause)})`, { cause });
    });
    await rm(from);
  }
}

/**
 * Writes the plain files into another folder.
 *
 * @param files by their encrypted names.
 * @throws PlatformError BACKUP_LOCKED when key or passphrase are not the right ones.
 */
export async function decryptFiles(
  folder: string,
  files: readonly string[],
  into: string,
  encryption: Encryption,
  settings: BackupSettings,
  signal?: AbortSignal,
): Promise<void> {
  const { tool, recipient } = encryption;
  const { decrypt, hint } = TOOLS[tool];
  await requireTool(encryption);
  const input = `${settings.BACKUP_PASSPHRASE}\n`;
  for (const file of files) {
    const to = join(into, file.slice(0, -`.${tool}`.length));
    const args = [...decrypt(settings), "--output", to, join(folder, file)];
    await execute(tool, args, { signal, input }).catch((cause: unknown) => {
      throw withCode(cause, "BACKUP_LOCKED", `the backup for ${recipient} does not open`, hint);
    });
  }
}

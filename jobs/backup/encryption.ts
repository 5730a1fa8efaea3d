import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CoreError } from "../../lib/core_errors.js";
import { messageOf, PlatformError } from "../../lib/errors.js";
import { BackupError } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import type { DumpManifest } from "./manifest.js";
import { execute } from "./postgres_tool.js";

type Encryption = NonNullable<DumpManifest["encryption"]>;

/** Which tool a recipient is for: age's and SSH's public keys say what they are, anything else names a key of gpg's. */
export function encryptionOf(settings: BackupSettings): Encryption | null {
  const recipient = settings.BACKUP_ENCRYPT_TO;
  if (recipient === "") {
    return null;
  }
  return { tool: /^(age1|ssh-)/.test(recipient) ? "age" : "gpg", recipient };
}

const suffix = (encryption: Encryption) => `.${encryption.tool}`;

/** @throws PlatformError TOOL_MISSING when the tool is not installed; nothing has been written then. */
export async function requireTool({ tool }: Encryption): Promise<void> {
  await execute(tool, ["--version"]).catch((cause: unknown) => {
    throw new CoreError("TOOL_MISSING", `${tool} is missing.`, {
      hint: `Install: ${tool === "gpg" ? "gnupg" : tool}.`,
      cause,
    });
  });
}

/** Replaces files by encrypted ones of the same name and a suffix. */
export async function encryptFiles(
  folder: string,
  files: readonly string[],
  encryption: Encryption,
  signal?: AbortSignal,
): Promise<void> {
  const { tool, recipient } = encryption;
  for (const file of files) {
    const from = join(folder, file);
    const to = from + suffix(encryption);
    const args =
      tool === "age"
        ? ["--recipient", recipient, "--output", to, from]
        : // Compressed already; and whose key it is was decided by whoever set it.
          [
            ...GPG,
            "--trust-model=always",
            "--compress-algo=none",
            "--recipient",
            recipient,
            "--output",
            to,
            "--encrypt",
            from,
          ];
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
  const { tool } = encryption;
  await requireTool(encryption);
  for (const file of files) {
    const from = join(folder, file);
    const to = join(into, file.slice(0, -suffix(encryption).length));
    const gpg = [...GPG, "--pinentry-mode=loopback", "--passphrase-fd=0", "--output", to, "--decrypt", from];
    const age = ["--decrypt", "--identity", settings.BACKUP_AGE_IDENTITY, "--output", to, from];
    try {
      await execute(tool, tool === "age" ? age : gpg, { signal, input: `${settings.BACKUP_PASSPHRASE}\n` });
    } catch (cause) {
      if (cause instanceof PlatformError) {
        throw cause;
      }
      throw new BackupError(
        "BACKUP_LOCKED",
        `the backup for ${encryption.recipient} does not open: ${messageOf(cause)}.`,
        {
          hint:
            tool === "age"
              ? "Check BACKUP_AGE_IDENTITY."
              : "Check BACKUP_PASSPHRASE and the keys of GNUPGHOME.",
          cause,
        },
      );
    }
  }
}

/** Keys of this keyring only: gpg would look a mistyped address up in the network, and encrypt to whoever it finds. */
const GPG = ["--batch", "--yes", "--quiet", "--no-tty", "--no-auto-key-locate"];

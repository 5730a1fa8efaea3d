import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { CoreError } from "./core_errors.js";
import { messageOf } from "./errors.js";

/** As with libpq: `require` encrypts and trusts anybody, `verify-ca` wants a trusted certificate, `verify-full` one in the host's name. */
export const TLS_MODES = ["disable", "require", "verify-ca", "verify-full"] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** What a driver is told about TLS. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly servername?: string;
  readonly checkServerIdentity?: () => undefined;
}

/**
 * @param rootCert file with the authorities to trust; blank: those that Node.js trusts.
 * @throws PlatformError SETTINGS_INVALID when the file cannot be read.
 */
export function tlsOptions(mode: TlsMode, rootCert: string, host: string): TlsOptions | false {
  if (mode === "disable") {
    return false;
  }
  // No name may be sent for an address.
  const name = {
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
  if (mode === "require" || rootCert === "") {
    return { rejectUnauthorized: mode !== "require", ...name };
  }
  try {
    return { rejectUnauthorized: true, ca: readFileSync(rootCert, "utf8"), ...name };
  } catch (cause) {
    throw new CoreError("SETTINGS_INVALID", `SSLROOTCERT: ${messageOf(cause)}`, { cause });
  }
}

/** Codes of OpenSSL and of Node.js for a certificate or a handshake that will not do. */
export function isTlsCode(code: string): boolean {
  return /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|HOSTNAME_MISMATCH$|INVALID_CA$)/.test(
    code,
  );
}

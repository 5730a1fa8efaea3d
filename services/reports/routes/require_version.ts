import type { Field } from "../../../lib/errors.js";
import { versionOf } from "../domain/report.js";
import type { Version } from "../domain/version.js";
import { ReportsError } from "../errors.js";

/** @param field where the name came from @throws ReportsError REPORT_VERSION_UNKNOWN */
export function requireVersion(name: string, field: Field): Version {
  const version = versionOf(name);
  if (version === undefined) {
    throw new ReportsError(
      "REPORT_VERSION_UNKNOWN",
      "there is no such version of the report; there are v1 and v2.",
      { field },
    );
  }
  return version;
}

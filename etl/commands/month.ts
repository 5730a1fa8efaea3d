import { CoreError } from "../../lib/core_errors.js";

/** @param month `YYYY-MM` @returns its first day @throws PlatformError USAGE_INVALID */
export function firstDayOf(month: string): string {
  if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(month)) {
    throw new CoreError("USAGE_INVALID", `'${month}' is not a valid month (YYYY-MM).`);
  }
  return `${month}-01`;
}

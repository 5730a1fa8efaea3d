import { type CoreCode, CoreError } from "../core_errors.js";
import { parseAmount } from "../domain/money.js";
import { PlatformError } from "../errors.js";

/**
 * Minor units of an amount that a body has, with a refusal that points at the field.
 *
 * @param name of the field that has the amount; its currency is in `currency`
 * @throws CoreError AMOUNT_INVALID, CURRENCY_UNKNOWN
 */
export function amountOfField(text: string, currency: string, name: string): bigint {
  try {
    return parseAmount(text, currency);
  } catch (error) {
    if (!(error instanceof PlatformError)) {
      throw error;
    }
    const pointer = error.code === "CURRENCY_UNKNOWN" ? "#/currency" : `#/${name}`;
    throw new CoreError(error.code as CoreCode, error.message, { field: { in: "body", pointer } });
  }
}

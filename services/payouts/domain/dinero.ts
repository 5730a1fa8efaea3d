import type { z } from "zod";
import { parseAmount } from "../../../lib/domain/money.js";
import { moneda as monedaField } from "../../contracts/fields.js";
import { PayoutsError } from "../errors.js";

export type Moneda = z.output<typeof monedaField>;

/** An amount with its currency; neither means anything alone. */
export interface Dinero {
  /** In minor units, at least one. */
  readonly monto: bigint;
  readonly moneda: Moneda;
}

/** A gateway's JSON has numbers: all of them are exact up to 2^53, which is nine times as much. */
export const MOST_MINOR = 10n ** 15n;

/**
 * Dinero of what somebody sent.
 *
 * @param text decimal
 * @throws PayoutsError MONEDA_REFUSED
 * @throws CoreError AMOUNT_INVALID
 */
export function dineroOf(text: string, code: string): Dinero {
  const moneda = monedaField.safeParse(code);
  if (!moneda.success) {
    const hint = `There are ${monedaField.options.join(", ")}, in upper case.`;
    throw new PayoutsError("MONEDA_REFUSED", "no Pago can be made in that currency.", {
      hint,
      field: { in: "body", pointer: "#/moneda" },
    });
  }
  return { monto: parseAmount(text, moneda.data, { mostMinor: MOST_MINOR }), moneda: moneda.data };
}

export const sameDinero = (one: Dinero, other: Dinero): boolean =>
  one.monto === other.monto && one.moneda === other.moneda;

import { parse } from "csv-parse/sync";
import { z } from "zod";
import { CURRENCY_CODES } from "../../lib/domain/money.js";
import { IngestError } from "./errors.js";

const rate = z.strictObject({
  currency: z
    .string()
    .refine((code) => CURRENCY_CODES.includes(code), "is no active code of ISO 4217")
    .refine((code) => code !== "USD", "is USD, which needs no rate"),
  day: z.iso.date("is no day as YYYY-MM-DD"),
  usd: z.string().regex(/^(?=.*[1-9])\d{1,12}(\.\d{1,18})?$/, "is no decimal above 0"),
  source: z.string().trim().min(1, "is empty").max(200),
});

/** What one unit of a currency was worth in USD on a day. */
export type Rate = z.output<typeof rate>;

/**
 * Reads a CSV of rates: `currency,day,usd,source` with a line of names.
 *
 * @throws IngestError FX_RATE_INVALID naming the line
 */
export function readRates(text: string): readonly Rate[] {
  let rows: unknown[];
  try {
    rows = parse(text, { bom: true, columns: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new IngestError("FX_RATE_INVALID", `the file is no CSV: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const rates = new Map<string, Rate>();
  for (const [i, row] of rows.entries()) {
    const { success, data, error } = rate.safeParse(row);
    if (!success) {
      const [issue] = error.issues;
      const field = issue?.path.join(".") || "the line";
      throw new IngestError("FX_RATE_INVALID", `line ${i + 2}: ${field} ${issue?.message}.`);
    }
    const name = `${data.currency} ${data.day}`;
    if (rates.has(name)) {
      throw new IngestError(
        "FX_RATE_INVALID",
        `line ${i + 2}: ${data.currency} has a rate of ${data.day} already.`,
      );
    }
    rates.set(name, data);
  }
  if (rates.size === 0) {
    throw new IngestError("FX_RATE_INVALID", "the file has no rates.");
  }
  return [...rates.values()];
}

import type { ReasonTable } from "../rule.js";

/** Field 39 of ISO 8583, which many providers hand on. 65 is read as Visa's count limit; Mastercard means strong authentication. */
export const DE39_REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "51",
  BANK_DECLINE: "01, 02, 05, 57, 62, 93",
  EXPIRED_CARD: "54, 33",
  INVALID_CARD: "14, 15, 52, 53, 55, 82, n7",
  FRAUD_SUSPECTED: "34, 59, 63, 04, 07, 41, 43",
  "3DS_FAILED": "1a",
  LIMIT_EXCEEDED: "61, 65, 75",
  NETWORK_ERROR: "06, 19, 91, 92, 96",
  TIMEOUT: "68",
  CONFIGURATION: "03, 12, 13, 30, 58",
  DUPLICATE: "94",
};

/** Codes by which a system says no, not an issuer. */
export const DE39_TECHNICAL = "03, 06, 12, 19, 30, 68, 91, 92, 94, 96";

/** The same where a text follows the code: `51 : Insufficient funds`. */
export const DE39_WITH_TEXT: ReasonTable = Object.fromEntries(
  Object.entries(DE39_REASONS).map(([reason, codes]) => [
    reason,
    codes
      .split(", ")
      .map((code) => `${code}, ${code} *, ${code}:*`)
      .join(", "),
  ]),
);

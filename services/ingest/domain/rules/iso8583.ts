import type { ProviderRules, Rule } from "../rule.js";
import { DE39_REASONS, DE39_TECHNICAL } from "./iso8583_reasons.js";

const APPROVED = "00, 08, 10, 11, 16, 85";
const DECLINED =
  "01, 02, 04, 05, 07, 14, 15, 1a, 33, 34, 41, 43, 51, 52, 53, 54, 55, 57, 58, 59, 61, 62, 63, 65, 75, 82, 93, n7, 13, 78";

const REQUESTS = "0100|0101|0120|0121|0200|0201|0220|0221";
const ANSWERS = `${REQUESTS}|0110|0130|0210|0230`;
const REVERSALS = "0400|0401|0410|0420|0421|0430";

/** Lists of codes as alternatives of one part. */
const either = (codes: string) => codes.replaceAll(", ", "|");

/** Data elements by number, in an object or by names of their own: `de["39"]`, `DE39`, `DE039`, `field39`. */
function message(name: string, de: (element: number) => string): Rule {
  return {
    name,
    when: [{ at: "/mti" }, { at: de(4) }],
    status: [
      // Processing codes from 20 to 29 credit the cardholder.
      {
        by: ["/mti", de(39), de(3)],
        exceptions: true,
        outcomes: { REFUNDED: `${ANSWERS}/${either(APPROVED)}/2*` },
      },
      {
        by: ["/mti", de(39)],
        outcomes: {
          APPROVED: `${ANSWERS}/${either(APPROVED)}`,
          DECLINED: `${ANSWERS}/${either(DECLINED)}`,
          FAILED: `${ANSWERS}/${either(DE39_TECHNICAL)}`,
          // A request to take back has no answer yet, or says why.
          "FAILED undoes APPROVED": `${REVERSALS}/${either(APPROVED)}||17|21|22|68`,
          CHARGEBACK: "0402|0412|0422|0432/*",
          NO_STATUS: `${REQUESTS}/`,
        },
      },
    ],
    reasons: [{ at: [de(39)], table: DE39_REASONS, pad: 2 }],
    amount: [{ at: [de(4)], unit: "minor" }],
    currency: { at: [de(49)] },
    merchant: { at: [de(43)], slice: [0, 25] },
    country: { at: [de(43)], slice: [38, 40] },
    time: { at: [de(7)], withoutYear: true },
    id: { object: [de(37), de(11)], version: ["/mti", de(39), de(11), de(7)] },
    metadata: { terminal: [de(41)], acceptor: [de(42)], auth_code: [de(38)], stan: [de(11)] },
  };
}

/** Network management, file actions, reconciliation: of no payment. */
const MANAGEMENT: Rule = {
  name: "management",
  when: [{ at: "/mti", is: "03*, 05*, 06*, 08*" }],
  status: [{ by: ["/mti"], outcomes: { NOT_A_PAYMENT: "03*, 05*, 06*, 08*" } }],
  id: { object: [], version: [] },
};

export const ISO8583: ProviderRules = {
  provider: "iso8583",
  aliases: ["iso_8583"],
  rules: [
    message("message", (element) => `/de/${element}`),
    message("message_fields", (element) => `/fields/${element}`),
    message("message_data_elements", (element) => `/data_elements/${element}`),
    message("message_upper", (element) => `/DE${element}`),
    message("message_padded", (element) => `/DE${String(element).padStart(3, "0")}`),
    message("message_lower", (element) => `/de${element}`),
    message("message_named", (element) => `/field${element}`),
    message("message_numbers", (element) => `/${element}`),
    MANAGEMENT,
  ],
};

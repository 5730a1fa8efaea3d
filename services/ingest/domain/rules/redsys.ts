import type { Path } from "../path.js";
import type { ProviderRules, ReasonTable, Rule, StatusTable } from "../rule.js";
import { flatRules } from "./flat.js";

/** `Ds_Response`, four digits. Those of 02xx ask to keep the card; those of 91xx are the network's own. */
const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "0116, 0051",
  BANK_DECLINE: "0104, 0204, 0107, 0207, 0180, 0181, 0182, 0190, 0290, 0114",
  EXPIRED_CARD: "0101, 0201",
  INVALID_CARD: "0118, 0125, 0129, 0280, 0191, 9064, 9093, sis0022, sis0071",
  FRAUD_SUSPECTED: "0102, 0202, 0167, 0208, 0209",
  "3DS_FAILED": "0184, 0195, sis0442",
  LIMIT_EXCEEDED: "0106, 9261, 9283",
  NETWORK_ERROR: "0909, 0912, 0940, 0941, 0942, 0943, 0944, 0946, 0947, 0949, 9912, 9913, 9914, 9928, 9253",
  TIMEOUT: "0480, 0501, 0502, 0503, 0928",
  CONFIGURATION:
    "0109, 0110, 0500, 0904, 9256, 9257, 9104, 9078, 9218, sis0042, sis0041, sis0026, sis0027, sis0018, sis0007, sis0001, sis0093, sis0021",
  DUPLICATE: "0913, 0945, sis0051, 9051",
  ABANDONED: "0400, 0481, 9915, sis9915",
};

const response = (by: readonly Path[]): StatusTable => ({
  by,
  pad: 4,
  outcomes: {
    PENDING: "0002/*, 0107/*, 0112/*, 0300/*, 8210/*, 8220/*, 9998/*, 9999/*",
    // Type 3 is a refund, 2 a capture, 9 a void; without a type nobody can tell.
    REFUNDED: "0900/3",
    APPROVED: "00*, 0900/2",
    FAILED:
      "0400/*, 0480/*, 0481/*, 0500/*, 0501/*, 0502/*, 0503/*, 0900/9, 0904/*, 0909/*, 0912/*, 0913/*, 0928/*, 094*, 0950/*, 91*, 99*, 9051/*, 9078/*, 9218/*, 9253/*",
    DECLINED: "01*, 02*, 9064/*, 9093/*, 9256/*, 9257/*, 9261/*, 9283/*, 9104/*",
  },
});

/** A record with the names that Redsys writes in one of its spellings. */
function named(
  name: string,
  base: string,
  [prefix, one]: readonly [string, string],
  format: Rule["format"],
): Rule {
  const at = (...names: string[]) => names.map((each) => `${base}/${prefix}${each}`);
  return {
    name,
    ...(format === undefined ? {} : { format }),
    when: [{ at: `${base}/${prefix}Response` }, { at: `${base}/${prefix}Order` }],
    status: [response([`${base}/${prefix}Response`, `${base}/${prefix}TransactionType`])],
    reasons: [{ at: at("Response", "ErrorCode"), table: REASONS, pad: 4 }],
    amount: [{ at: at("Amount"), unit: "minor" }],
    currency: { at: at("Currency") },
    merchant: { at: at("MerchantName", "MerchantCode") },
    time: {
      at: [
        [`${base}/${prefix}Date`, `${base}/${prefix}Hour`],
        [`${base}/Fecha`, `${base}/Hora`],
        [`${one}/@Fecha`, `${one}/@Hora`],
      ],
      zone: "Europe/Madrid",
      order: "dmy",
    },
    id: { object: at("Order"), version: at("AuthorisationCode") },
    metadata: {
      merchant_code: at("MerchantCode"),
      authorisation: at("AuthorisationCode"),
      response: at("Response"),
    },
  };
}

/** The request that an error answer repeats, under the names of requests. */
const ECHO = "/RETORNOXML/RECIBIDO/DATOSENTRADA";

/** An error of the gateway: nobody was asked for money. */
const ERROR: Rule = {
  name: "error",
  format: "xml",
  when: [{ at: "/RETORNOXML/CODIGO", is: "sis*, xml*, msg*" }],
  status: [{ by: ["/RETORNOXML/CODIGO"], outcomes: { FAILED: "sis*, xml*, msg*" } }],
  reasons: [{ at: ["/RETORNOXML/CODIGO"], table: REASONS }],
  amount: [{ at: [`${ECHO}/DS_MERCHANT_AMOUNT`, `${ECHO}/Ds_Merchant_Amount`], unit: "minor" }],
  currency: { at: [`${ECHO}/DS_MERCHANT_CURRENCY`, `${ECHO}/Ds_Merchant_Currency`] },
  merchant: { at: [`${ECHO}/DS_MERCHANT_MERCHANTNAME`, `${ECHO}/DS_MERCHANT_MERCHANTCODE`] },
  id: { object: [`${ECHO}/DS_MERCHANT_ORDER`, `${ECHO}/Ds_Merchant_Order`], version: ["/RETORNOXML/CODIGO"] },
  metadata: { merchant_code: [`${ECHO}/DS_MERCHANT_MERCHANTCODE`] },
};

const ERROR_JSON: Rule = {
  name: "error_json",
  when: [{ at: "/errorCode", is: "sis*" }],
  status: [{ by: ["/errorCode"], outcomes: { FAILED: "sis*" } }],
  reasons: [{ at: ["/errorCode"], table: REASONS }],
  id: { object: ["/Ds_Order"], version: ["/errorCode"] },
};

export const REDSYS: ProviderRules = {
  provider: "redsys",
  aliases: ["sermepa", "servired"],
  rules: [
    named("notification", "", ["Ds_", ""], "any"),
    named("notification_upper", "", ["DS_", ""], "any"),
    named("answer", "/RETORNOXML/OPERACION", ["Ds_", "/RETORNOXML"], "xml"),
    named("soap", "/Message/Request", ["Ds_", "/Message/Request"], "xml"),
    named("soap_notification", "/Request", ["Ds_", "/Request"], "xml"),
    ERROR,
    ERROR_JSON,
    ...flatRules({
      unit: "minor",
      tables: (status) => [{ ...response([status, "/transaction_type"]), exceptions: true }],
      reasons: { table: REASONS, pad: 4 },
      zone: "Europe/Madrid",
    }),
  ],
};

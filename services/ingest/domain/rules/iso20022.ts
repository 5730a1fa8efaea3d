import type { ProviderRules, ReasonTable, Rule } from "../rule.js";

const REASONS: ReasonTable = {
  INSUFFICIENT_FUNDS: "AM04",
  BANK_DECLINE:
    "MD01, MS02, MS03, MD02, MD07, BE04, RR01, RR02, RR03, RR04, SL01, SL11, SL12, SL13, SL14, MD06",
  INVALID_CARD: "AC01, AC02, AC03, AC04, AC06, AC13, AC14, BE01, BE05",
  FRAUD_SUSPECTED: "FRAD, FR01, FRTR",
  LIMIT_EXCEEDED: "AM02, AM14, AM21",
  NETWORK_ERROR: "AB05, AB06, AB07, AB08, AB09, AB10",
  TIMEOUT: "TM01, AB03, AB04",
  CONFIGURATION:
    "AG01, AG02, AG03, AG10, FF01, FF02, FF03, FF05, RC01, RC03, RC04, DT01, DT02, AM01, AM03, AM09, AM10, AM11, AM12, AM16, AM17, AM18, CH03, CH04, DNOR, CNOR, TD01, TD02, TD03, BE06, CURR, ARDT, AG04, AG05, AG06, AG07, ED01, ED05",
  DUPLICATE: "AM05, DUPL, DU01, DU02, DU03, DU04, DU05",
  ABANDONED: "CUST, CANC",
};
/** Formats, agents and cancellations: nobody refused the money. */
const TECHNICAL =
  "FF01, FF02, FF03, FF05, RC01, RC03, RC04, DT01, DT02, AG01, AG02, AG03, AG10, AG04, AG05, AG06, AG07, AM01, AM03, AM05, AM09, AM10, AM11, " +
  "AM12, AM16, AM17, AM18, CH03, CH04, DNOR, CNOR, TD01, TD02, TD03, AB03, AB04, AB05, AB06, AB07, AB08, AB09, AB10, TM01, DUPL, DU01, DU02, DU03, DU04, " +
  "DU05, CUST, CANC, BE06, CURR, ARDT, ED01, ED05";

const REPORT = "/Document/CstmrPmtStsRpt";
/** The transaction's own code goes before its batch's, that before the group's, known or not. */
const ISSUED = [".", "..", `${REPORT}/OrgnlGrpInfAndSts`].map((of) => ({
  at: [`${of}/StsRsnInf/Rsn/Cd`, `${of}/StsRsnInf/Rsn/Prtry`],
  table: REASONS,
  technical: TECHNICAL,
  decides: true as const,
}));

const STATUSES = {
  APPROVED: "ACSC, ACCC, ACSP, ACCP, ACWC, ACFC",
  PENDING: "PDNG, RCVD, ACTC, PATC, ACWP, PRES, PART",
  DECLINED: "RJCT",
  FAILED: "BLCK",
  "FAILED undoes APPROVED": "CANC, CNCL",
};

/** The transaction's status goes before its batch's, that before the group's, whatever they say. */
const PAIN_002: Rule = {
  name: "pain.002",
  format: "xml",
  when: [{ at: REPORT }],
  each: [`${REPORT}/OrgnlPmtInfAndSts`, "./TxInfAndSts"],
  status: [
    { by: ["./TxSts"], outcomes: STATUSES },
    { by: ["../PmtInfSts"], outcomes: STATUSES },
    { by: [`${REPORT}/OrgnlGrpInfAndSts/GrpSts`], outcomes: STATUSES },
  ],
  reasons: ISSUED,
  amount: [
    {
      at: [
        "./OrgnlTxRef/Amt/InstdAmt",
        "./OrgnlTxRef/IntrBkSttlmAmt",
        "./OrgnlTxRef/Amt/EqvtAmt/Amt",
        "./OrgnlTxRef/InstdAmt",
      ],
      unit: "major",
    },
  ],
  currency: {
    at: [
      "./OrgnlTxRef/Amt/InstdAmt/@Ccy",
      "./OrgnlTxRef/IntrBkSttlmAmt/@Ccy",
      "./OrgnlTxRef/Amt/EqvtAmt/Amt/@Ccy",
      "./OrgnlTxRef/InstdAmt/@Ccy",
    ],
  },
  merchant: { at: ["./OrgnlTxRef/Cdtr/Nm", "./OrgnlTxRef/Cdtr/Pty/Nm"] },
  country: { at: ["./OrgnlTxRef/Cdtr/PstlAdr/Ctry", "./OrgnlTxRef/Cdtr/Pty/PstlAdr/Ctry"] },
  time: { at: ["./AccptncDtTm", `${REPORT}/GrpHdr/CreDtTm`] },
  id: {
    object: [
      "./OrgnlEndToEndId",
      "./OrgnlUETR",
      "./OrgnlTxId",
      "./OrgnlInstrId",
      "../OrgnlPmtInfId",
      `${REPORT}/OrgnlGrpInfAndSts/OrgnlMsgId`,
    ],
    version: [`${REPORT}/GrpHdr/MsgId`, "./StsId"],
    counted: true,
  },
  metadata: {
    message: [`${REPORT}/GrpHdr/MsgId`],
    reason_text: ["./StsRsnInf/AddtlInf", "../StsRsnInf/AddtlInf"],
    batch: ["../OrgnlPmtInfId"],
  },
};

/** Interbank status report: the same without batches. */
const FI = "/Document/FIToFIPmtStsRpt";
const PACS_002: Rule = {
  ...PAIN_002,
  name: "pacs.002",
  when: [{ at: FI }],
  each: [FI, "./TxInfAndSts"],
  status: [
    { by: ["./TxSts"], outcomes: STATUSES },
    { by: [`${FI}/OrgnlGrpInfAndSts/GrpSts`], outcomes: STATUSES },
  ],
  reasons: [{ at: ["./StsRsnInf/Rsn/Cd", "./StsRsnInf/Rsn/Prtry"], table: REASONS, technical: TECHNICAL }],
  time: { at: ["./AccptncDtTm", `${FI}/GrpHdr/CreDtTm`] },
  id: {
    object: ["./OrgnlEndToEndId", "./OrgnlTxId", "./OrgnlUETR", "./OrgnlInstrId"],
    version: [`${FI}/GrpHdr/MsgId`, "./StsId"],
    counted: true,
  },
  metadata: { message: [`${FI}/GrpHdr/MsgId`], reason_text: ["./StsRsnInf/AddtlInf"] },
};

/** Of an entry: a code, in older versions text. */
const STATE = ["../../Sts/Cd", "../../Sts"] as const;

/** An entry of an account, or each transaction within a batch of it. An unknown reference is `NOTPROVIDED`. */
function camt(name: string, [message, part]: readonly [string, string]): Rule {
  const root = `/Document/${message}`;
  const detail = ["./Refs/EndToEndId", "./Refs/TxId", "./Refs/UETR", "./Refs/InstrId", "./Refs/AcctSvcrRef"];
  return {
    name,
    format: "xml",
    when: [{ at: root }, { at: `${root}/${part}` }],
    each: [`${root}/${part}`, "./Ntry", "./NtryDtls", "./TxDtls"],
    status: [
      {
        by: [...STATE],
        exceptions: true,
        outcomes: { PENDING: "pdng|futr/, /pdng|futr", NOT_A_PAYMENT: "info/, /info" },
      },
      // A direct debit that its payer had back; every other return is money that came back.
      { by: ["./RtrInf/Rsn/Cd"], outcomes: { CHARGEBACK: "md06, md01", REFUNDED: "*" } },
      { by: ["../../RvslInd"], exceptions: true, outcomes: { REFUNDED: "true, 1" } },
      {
        by: ["../../BkTxCd/Domn/Fmly/SubFmlyCd"],
        exceptions: true,
        outcomes: { REFUNDED: "rtrn, rrtn", CHARGEBACK: "updd" },
      },
      { by: [...STATE], outcomes: { APPROVED: "book/, /book" } },
    ],
    amount: [
      { at: ["./Amt", "./AmtDtls/TxAmt/Amt", "./AmtDtls/InstdAmt/Amt"], unit: "major" },
      { at: ["../../Amt"], unit: "major", ifAlone: true },
    ],
    currency: {
      at: ["./Amt/@Ccy", "./AmtDtls/TxAmt/Amt/@Ccy", "./AmtDtls/InstdAmt/Amt/@Ccy", "../../Amt/@Ccy"],
    },
    merchant: { at: ["./RltdPties/Cdtr/Nm", "./RltdPties/Cdtr/Pty/Nm", "./RltdPties/UltmtCdtr/Nm"] },
    country: { at: ["./RltdPties/Cdtr/PstlAdr/Ctry", "./RltdPties/Cdtr/Pty/PstlAdr/Ctry"] },
    time: {
      at: [
        "../../BookgDt/DtTm",
        "../../BookgDt/Dt",
        "../../ValDt/DtTm",
        "../../ValDt/Dt",
        `${root}/GrpHdr/CreDtTm`,
      ],
    },
    id: {
      object: [...detail, "../../AcctSvcrRef", "../../NtryRef"],
      version: [
        "../../Sts/Cd",
        "../../Sts",
        "../../BookgDt/Dt",
        "../../CdtDbtInd",
        "../../RvslInd",
        "./RtrInf/Rsn/Cd",
      ],
      counted: true,
    },
    metadata: {
      message: [`${root}/GrpHdr/MsgId`],
      direction: ["./CdtDbtInd", "../../CdtDbtInd"],
      reason_code: ["./RtrInf/Rsn/Cd"],
      reason_text: ["./RtrInf/AddtlInf", "./RmtInf/Ustrd", "../../AddtlNtryInf"],
      bank_code: ["../../BkTxCd/Prtry/Cd", "../../BkTxCd/Domn/Fmly/SubFmlyCd"],
    },
  };
}

export const ISO20022: ProviderRules = {
  provider: "iso20022",
  aliases: ["iso_20022", "pain002", "camt", "camt053", "camt054", "camt052", "sepa"],
  rules: [
    PAIN_002,
    PACS_002,
    camt("camt.054", ["BkToCstmrDbtCdtNtfctn", "Ntfctn"]),
    camt("camt.053", ["BkToCstmrStmt", "Stmt"]),
    camt("camt.052", ["BkToCstmrAcctRpt", "Rpt"]),
  ],
};

import type { ProviderRules, ReasonTable, Rule } from "../rule.js";
import { flatRules } from "./flat.js";

/** Response reason codes, as `errorCode` and as third position of the old answer. */
const REASONS: ReasonTable = {
  BANK_DECLINE: "2, 3, 41, 145, 200",
  FRAUD_SUSPECTED: "4, 141, 250, 251, 252, 253, 254, 45, 193",
  INVALID_CARD: "6, 7, 27, 37, 44, 65, 78, 127, 165, 315",
  EXPIRED_CARD: "8, 316, 317",
  DUPLICATE: "11",
  CONFIGURATION:
    "5, 9, 10, 12, 13, 16, 17, 28, 33, 35, 36, 38, 40, 43, 46, 47, 49, 50, 54, 55, 87, 88, 89, 92, 103, 128, 152, 180, 289",
  NETWORK_ERROR: "19, 20, 21, 22, 23, 25, 26, 57, 58, 59, 60, 61, 62, 63, 120, 121, 122, 153, 181",
};

/** 1 approved, 2 declined, 3 error, 4 held for review. */
const CODES = { APPROVED: "1", DECLINED: "2", FAILED: "3", PENDING: "4" };

/** `resultCode` Ok only says that the call worked. There is no amount. */
const answer = (name: string, format: "xml" | "json", base: string): Rule => ({
  name,
  format,
  when: [{ at: `${base}/transactionResponse` }, { at: `${base}/messages` }],
  status: [
    // Of a refund or a void that went well, or of a capture: which of them, the answer does not say.
    {
      by: [`${base}/transactionResponse/refTransID`, `${base}/transactionResponse/refTransId`],
      exceptions: true,
      outcomes: { UNDECIDABLE: "1*, 2*, 3*, 4*, 5*, 6*, 7*, 8*, 9*" },
    },
    { by: [`${base}/transactionResponse/responseCode`], outcomes: CODES },
    { by: [`${base}/messages/resultCode`], outcomes: { FAILED: "error" } },
  ],
  reasons: [
    {
      at: [
        `${base}/transactionResponse/errors/error/errorCode`,
        `${base}/transactionResponse/errors/0/errorCode`,
        `${base}/transactionResponse/messages/0/code`,
      ],
      table: REASONS,
    },
  ],
  id: {
    object: [`${base}/transactionResponse/transId`],
    version: [`${base}/transactionResponse/responseCode`],
  },
  payment: [{ at: [`${base}/transactionResponse/refTransID`, `${base}/transactionResponse/refTransId`] }],
  metadata: {
    reason_text: [
      `${base}/transactionResponse/errors/error/errorText`,
      `${base}/transactionResponse/errors/0/errorText`,
      `${base}/messages/message/0/text`,
    ],
    order: [`${base}/refId`],
  },
});

/** Without a transaction: the request itself was refused. */
const ERROR: Rule = {
  name: "error",
  format: "xml",
  when: [{ at: "/ErrorResponse/messages/resultCode" }],
  status: [{ by: ["/ErrorResponse/messages/resultCode"], outcomes: { FAILED: "error" } }],
  id: { object: [], version: [] },
  metadata: {
    reason_text: ["/ErrorResponse/messages/message/text"],
    reason_code: ["/ErrorResponse/messages/message/code"],
  },
};

/** What the details of a transaction say. */
const DETAILS = "/getTransactionDetailsResponse/transaction";
const TRANSACTION: Rule = {
  name: "details",
  format: "xml",
  when: [{ at: `${DETAILS}/transactionStatus` }],
  status: [
    {
      by: [`${DETAILS}/transactionStatus`],
      outcomes: {
        APPROVED: "authorizedpendingcapture, capturedpendingsettlement, settledsuccessfully, approvedreview",
        PENDING: "fdspendingreview, fdsauthorizedpendingreview, underreview, authorizedpendingrelease",
        DECLINED: "declined, failedreview",
        FAILED: "communicationerror, couldnotvoid, generalerror",
        "FAILED undoes APPROVED": "voided, expired, settlementerror",
        REFUNDED: "refundsettledsuccessfully, refundpendingsettlement, returneditem",
        CHARGEBACK: "chargeback",
        "APPROVED undoes CHARGEBACK": "chargebackreversal",
      },
    },
  ],
  reasons: [{ at: [`${DETAILS}/responseReasonCode`], table: REASONS }],
  amount: [{ at: [`${DETAILS}/settleAmount`, `${DETAILS}/authAmount`], unit: "major" }],
  time: { at: [`${DETAILS}/submitTimeUTC`], zone: "UTC" },
  id: { object: [`${DETAILS}/transId`], version: [`${DETAILS}/transactionStatus`] },
  payment: [{ at: [`${DETAILS}/refTransId`] }],
  metadata: {
    order: [`${DETAILS}/order/invoiceNumber`],
    reason_text: [`${DETAILS}/responseReasonDescription`],
  },
};

/** The event says what happened; `responseCode` 1 on a refund says that the refund went well. */
const WEBHOOK: Rule = {
  name: "webhook",
  when: [{ at: "/eventType", is: "net.authorize.*" }, { at: "/notificationId" }, { at: "/payload" }],
  status: [
    {
      by: ["/eventType", "/payload/responseCode"],
      exceptions: true,
      outcomes: {
        APPROVED:
          "net.authorize.payment.authcapture.created|net.authorize.payment.authorization.created|net.authorize.payment.capture.created|" +
          "net.authorize.payment.priorauthcapture.created|net.authorize.payment.fraud.approved/1",
        PENDING:
          "net.authorize.payment.authcapture.created|net.authorize.payment.authorization.created|net.authorize.payment.fraud.held|" +
          "net.authorize.payment.priorauthcapture.created|net.authorize.payment.capture.created/4, net.authorize.payment.fraud.held/1",
        DECLINED:
          "net.authorize.payment.authcapture.created|net.authorize.payment.authorization.created|net.authorize.payment.capture.created|" +
          "net.authorize.payment.priorauthcapture.created/2",
        "DECLINED FRAUD_SUSPECTED": "net.authorize.payment.fraud.declined/*",
        FAILED:
          "net.authorize.payment.refund.created|net.authorize.payment.void.created/2|3, " +
          "net.authorize.payment.authcapture.created|net.authorize.payment.authorization.created|net.authorize.payment.capture.created|" +
          "net.authorize.payment.priorauthcapture.created/3",
        "FAILED undoes APPROVED": "net.authorize.payment.void.created/1",
        REFUNDED: "net.authorize.payment.refund.created/1",
      },
    },
    { by: ["/eventType"], outcomes: { NOT_A_PAYMENT: "net.authorize.customer.*, net.authorize.merchant.*" } },
  ],
  reasons: [{ at: ["/payload/responseReasonCode"], table: REASONS }],
  amount: [{ at: ["/payload/authAmount"], unit: "major" }],
  time: { at: ["/eventDate"] },
  id: { notification: ["/notificationId"], object: ["/payload/id"], version: ["/eventType"] },
  payment: [{ at: ["/payload/id"] }],
  metadata: {
    order: ["/payload/merchantReferenceId", "/payload/invoiceNumber"],
    auth_code: ["/payload/authCode"],
  },
};

/** The AIM answer: no line of names, so that only a hint tells what it is. */
const AIM: Rule = {
  name: "aim",
  format: "csv",
  hinted: true,
  when: [{ at: "/1", is: "1, 2, 3, 4" }, { at: "/7" }, { at: "/10" }],
  status: [
    {
      by: ["/12", "/1"],
      exceptions: true,
      outcomes: { REFUNDED: "credit/1", "FAILED undoes APPROVED": "void/1", FAILED: "credit|void/2|3" },
    },
    { by: ["/1"], outcomes: CODES },
  ],
  reasons: [{ at: ["/3"], table: REASONS }],
  amount: [{ at: ["/10"], unit: "major" }],
  id: { object: ["/7"], version: ["/1", "/12"] },
  metadata: { reason_text: ["/4"], order: ["/8"], auth_code: ["/5"] },
};

export const AUTHORIZE_NET: ProviderRules = {
  provider: "authorize_net",
  aliases: ["authorizenet", "authnet", "anet"],
  headerless: true,
  rules: [
    answer("answer", "xml", "/createTransactionResponse"),
    answer("answer_json", "json", ""),
    ERROR,
    TRANSACTION,
    WEBHOOK,
    AIM,
    ...flatRules({ unit: "major", outcomes: CODES, reasons: { table: REASONS } }),
  ],
};

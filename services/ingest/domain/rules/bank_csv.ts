import type { ProviderRules, Rule, StatusTable } from "../rule.js";

/** German CSV-CAMT: what is only announced contains the word for booked, so whole texts are compared. */
const CAMT: Rule = {
  name: "csv_camt",
  format: "csv",
  when: [
    { at: "/auftragskonto" },
    { at: "/buchungstag" },
    { at: "/betrag" },
    { at: ["/waehrung", "/währung"] },
  ],
  status: [
    {
      by: ["/info"],
      exceptions: true,
      outcomes: {
        PENDING: "umsatz vorgemerkt und nicht gebucht, umsatz vorgemerkt, vorgemerkt, nicht gebucht",
      },
    },
    {
      by: ["/buchungstext"],
      exceptions: true,
      outcomes: {
        CHARGEBACK:
          "ruecklastschrift*, rücklastschrift*, lastschriftrueckgabe*, lastschriftrückgabe*, rueckgabe lastschrift*, retourenbelastung*",
        REFUNDED:
          "rueckueberweisung*, rücküberweisung*, ueberweisungsrueckgabe*, überweisungsrückgabe*, rueckzahlung*, rückzahlung*, storno*, gutschrift storno*",
      },
    },
    { by: ["/info"], outcomes: { APPROVED: "umsatz gebucht, gebucht" } },
  ],
  amount: [{ at: ["/betrag"], unit: "major", notation: "comma_decimal", signed: true }],
  currency: { at: ["/waehrung", "/währung"] },
  merchant: { at: ["/beguenstigter/zahlungspflichtiger", "/begünstigter/zahlungspflichtiger"].map(slashed) },
  time: { at: ["/buchungstag", "/valutadatum"], zone: "Europe/Berlin", order: "dmy" },
  id: {
    object: ["/kundenreferenz (end-to-end)", "/sammlerreferenz", "/mandatsreferenz"],
    version: ["/valutadatum"],
    counted: true,
  },
  metadata: { kind: ["/buchungstext"], purpose: ["/verwendungszweck"], account: ["/auftragskonto"] },
};

/** A column's name may have a slash, which separates steps of a path. */
function slashed(path: string): string {
  return `/${path.slice(1).replaceAll("/", "~1")}`;
}

const AMOUNT = [
  "amount",
  "betrag",
  "importe",
  "monto",
  "montant",
  "valor",
  "importo",
  "transaction amount",
  "betrag (eur)",
  "umsatz",
];
const DATE = [
  "booking date",
  "posted date",
  "posting date",
  "completed date",
  "transaction date",
  "value date",
  "date",
  "started date",
  "buchungsdatum",
  "buchungstag",
  "wertstellung",
  "datum",
  "fecha",
  "fecha operación",
  "fecha operacion",
  "fecha valor",
  "date opération",
  "date operation",
  "data",
];
/** What tables of banks have, and hardly those of others. */
const BANK = [
  "narrative",
  "payee",
  "beneficiary",
  "counterparty",
  "counterparty name",
  "iban",
  "account number",
  "booking date",
  "value date",
  "posted date",
  "posting date",
  "buchungstag",
  "buchungsdatum",
  "wertstellung",
  "balance",
  "running balance",
  "verwendungszweck",
  "empfänger",
  "empfaenger",
  "saldo",
  "concepto",
  "descripción",
  "descripcion",
  "beneficiario",
  "libellé",
  "libelle",
  "solde",
  "descrizione",
];
const STATUS = [
  "status",
  "state",
  "booking status",
  "transaction status",
  "estado",
  "statut",
  "stato",
  "situação",
];
const PARTY = [
  "merchant",
  "merchant name",
  "counterparty name",
  "counterparty",
  "payee",
  "beneficiary",
  "beneficiary name",
  "empfänger",
  "empfaenger",
  "beneficiario",
  "bénéficiaire",
  "name",
];
const ID = [
  "transaction id",
  "reference",
  "end-to-end id",
  "end to end id",
  "endtoendid",
  "payment reference",
  "bank reference",
  "ref",
  "id",
  "kundenreferenz",
  "referenz",
  "referencia",
  "référence",
  "reference number",
  "transferwise id",
];

const members = (names: readonly string[]) => names.map((name) => `/${name}`);

const words: StatusTable["outcomes"] = {
  APPROVED:
    "booked, posted, completed, complete, settled, cleared, executed, success, successful, paid, gebucht, ausgeführt, ausgefuehrt, contabilizado, " +
    "liquidado, ejecutado, realizada, completado, pagado, comptabilisé, exécuté, contabilizzato, efetuado",
  PENDING:
    "pending, authorised, authorized, processing, scheduled, in progress, vorgemerkt, nicht gebucht, ausstehend, pendiente, retenido, en attente, à venir, in sospeso, pendente",
  DECLINED:
    "declined, rejected, refused, denied, abgelehnt, rechazado, rechazada, refusé, rifiutato, recusado",
  FAILED:
    "failed, error, cancelled, canceled, expired, reverted, storniert, fehlgeschlagen, fallido, cancelado, anulado, échoué, annulé, annullato",
  REFUNDED:
    "refunded, refund, returned, reversed, reimbursed, erstattet, devuelto, reembolsado, remboursé, rimborsato",
  CHARGEBACK: "chargeback, charged back, disputed, rücklastschrift, ruecklastschrift, contracargo",
};

/** Other banks' exports, in five languages: the decimal separator is found out by looking. */
const GENERIC: Rule = {
  name: "csv",
  format: "csv",
  when: [{ at: members(AMOUNT) }, { at: members(DATE) }, { at: members(BANK) }],
  status: [
    ...STATUS.map((name) => ({ by: [`/${name}`], outcomes: words })),
    // A line of a statement with the balance after it has been booked.
    ...["balance", "running balance", "saldo", "solde"].map((name) => ({
      by: [`/${name}`],
      outcomes: { APPROVED: "*" },
    })),
  ],
  amount: [{ at: members(AMOUNT), unit: "major", notation: "any", signed: true }],
  currency: {
    at: members([
      "currency",
      "ccy",
      "währung",
      "waehrung",
      "moneda",
      "divisa",
      "devise",
      "moeda",
      "valuta",
      "currency code",
    ]),
  },
  merchant: { at: members(PARTY) },
  time: { at: members(DATE) },
  id: {
    object: members(ID),
    version: members(DATE),
    counted: true,
  },
  metadata: {
    purpose: members(["description", "details", "narrative", "verwendungszweck", "concepto", "libellé"]),
  },
};

/** Fewer columns are enough where the sender says that it is a bank's. */
const HINTED: Rule = { ...GENERIC, name: "csv_hinted", hinted: true, when: [{ at: members(AMOUNT) }] };

export const BANK_CSV: ProviderRules = {
  provider: "bank_csv",
  aliases: ["bank", "bankcsv", "csv_camt", "camt_csv"],
  rules: [CAMT, GENERIC, HINTED],
};

import type { StatusCategory } from "../domain/normalised.js";
import { beginning, wordsOf } from "./words.js";

type Meaning = "approved" | "pending" | "declined" | "failed" | "refunded" | "chargeback";

const STEMS: readonly (readonly [Meaning, RegExp])[] = [
  [
    "chargeback",
    beginning(
      "chargeback dispute disputa contracargo contestac ruckbuchung ruecklast rucklast litige retrieval",
    ),
  ],
  ["refunded", beginning("refund reembols devol devuel estorn rembours erstatt rimbors returned storno")],
  [
    "declined",
    beginning(
      "declin reject rechaz denied deny deneg refus recus negad abgelehnt rifiut insuffic insufic nsf$",
    ),
  ],
  [
    "failed",
    beginning(
      "fail error fallid fallo falh cancel void expir timeout timedout abort anulad abgebrochen fehl echou echec annul caduc vencid",
    ),
  ],
  [
    "pending",
    beginning(
      "pend processing procesando processando waiting await created? initiat iniciad review queued espera curso aguard attente ausstehend requires",
    ),
  ],
  [
    "approved",
    beginning(
      `approv aprob aprov authoriz authoris autoriz success succe paid pagad? complet captur settled accept acept aceit exit ok$ done confirm
       genehmigt bezahlt payee? approuve reussi liquidad`,
    ),
  ],
];

/** `unpaid`, `not approved`, `sin aprobar`: what follows is turned round, and no word says into what. */
const NEGATION = /^(?:un(?:paid|success|approv|author)|not?$|non$|nicht$|nao$|sin$|pas$|dis)/;

/**
 * The categories that the words of a kind and a status allow (`refund | COMPLETED`: REFUNDED alone); undefined where they say nothing.
 * The event's kind counts before how it went: a refund that succeeded is REFUNDED, one that failed is FAILED.
 */
export function statusesBy(text: string): readonly StatusCategory[] | undefined {
  const words = wordsOf(text);
  if (words.some((word) => NEGATION.test(word) && !/^disput/.test(word))) {
    return undefined;
  }
  const said = new Set<Meaning>();
  for (const word of words) {
    const found = STEMS.find(([, stem]) => stem.test(word));
    if (found !== undefined) {
      said.add(found[0]);
    }
  }
  if (said.size === 0) {
    return undefined;
  }
  if (said.has("chargeback")) {
    // Won, reversed, closed: which of them it is, the provider's own words tell.
    return said.size === 1 || said.has("approved") || said.has("pending")
      ? ["CHARGEBACK", "PENDING"]
      : undefined;
  }
  if (said.has("declined") || said.has("failed")) {
    return ["DECLINED", "FAILED"];
  }
  if (said.has("pending")) {
    return ["PENDING"];
  }
  return said.has("refunded") ? ["REFUNDED"] : ["APPROVED"];
}

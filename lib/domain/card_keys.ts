/** What the value under a key is by the key's name. */
export type KeyMeaning =
  /** A card number. */
  | "number"
  /** What only the cardholder has: CVV, PIN, magnetic stripe. Nobody may keep it. */
  | "secret"
  /** An id, a reference, a time or a phone number: digits there are no card's, though one in forty might pass for it. */
  | "reference"
  | "free";

/** A key means what its last words say, joined: `merchantRespPan`, `card.number`, `CVV2`, `card_number`; not `pan_last4`. */
const MEANINGS: ReadonlyMap<string, KeyMeaning> = new Map([
  ...named(
    "number",
    "pan primaryaccountnumber cardnumber cardnum cardno cardnr ccnumber ccnum ccno creditcardnumber debitcardnumber " +
      "numerotarjeta numerodetarjeta numtarjeta numerocartao numerodocartao",
  ),
  ...named(
    "secret",
    "cvv cvv2 cvc cvc2 cvn cvn2 cvd csc cav2 cvp2 cvvcode cvccode cvvnumber cvcnumber cardcode cardverificationvalue " +
      "cardverificationcode verificationvalue securitycode cardsecuritycode codigoseguridad codigodeseguridad " +
      "pin pinblock track1 track2 trackdata track1data track2data magstripe " +
      // Tracks, PIN and chip of ISO 8583.
      "de35 de035 de36 de036 de45 de045 de52 de052 de55 de055 field35 field36 field45 field52 field55",
  ),
  ...named(
    "reference",
    "id ids uuid guid ref refs reference references referencia referenciapago idpago idafiliado key keys token hash digest fingerprint trace traceparent cursor " +
      "ticketnumber ordernumber invoicenumber transactionnumber trackingnumber phone phonenumber tel telephone mobile msisdn " +
      "telefono celular timestamp time at date created updated",
  ),
]);

/** More words than the longest name has are not looked at. */
const MAX_WORDS = 6;

/**
 * Callers use few keys, and to tell one takes 2 µs: 26 of the 100 that a request may have. By parent and key, since to join the two for
 * each look takes as long as all the rest of it. Emptied when somebody makes keys up.
 */
const known = new Map<string, Map<string, KeyMeaning>>();
let knownKeys = 0;
const MAX_KNOWN = 10_000;
const MAX_KNOWN_LENGTH = 100;

/** By the key alone, or with that of the object it is in: `number` in `card`. */
export function meaningOf(key: string, parent = ""): KeyMeaning {
  const before = known.get(parent)?.get(key);
  if (before !== undefined) {
    return before;
  }
  const meaning = meaningOfWords(`${parent} ${key}`);
  if (parent.length + key.length < MAX_KNOWN_LENGTH) {
    remember(parent, key, meaning);
  }
  return meaning;
}

function remember(parent: string, key: string, meaning: KeyMeaning): void {
  if (knownKeys >= MAX_KNOWN) {
    known.clear();
    knownKeys = 0;
  }
  const keys = known.get(parent) ?? new Map<string, KeyMeaning>();
  known.set(parent, keys.set(key, meaning));
  knownKeys += 1;
}

function meaningOfWords(key: string): KeyMeaning {
  const words = wordsOf(key).slice(-MAX_WORDS);
  for (let from = 0; from < words.length; from += 1) {
    const meaning = MEANINGS.get(words.slice(from).join(""));
    if (meaning !== undefined) {
      return meaning;
    }
  }
  return "free";
}

/** Words in lower case, split where the case changes and where there is no letter or digit; an accent is none, and goes. */
function wordsOf(key: string): string[] {
  return key
    .normalize("NFD")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

function named(meaning: KeyMeaning, names: string): (readonly [string, KeyMeaning])[] {
  return names.split(" ").map((name) => [name, meaning] as const);
}

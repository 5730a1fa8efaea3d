/** A digit, and the sum of the digits of its double. */
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9] as const;

const LONG = [16, 17, 18, 19] as const;
const DINERS = [14, ...LONG] as const;
const MAESTRO = [13, 14, 15, ...LONG] as const;

/**
 * First digits (from, to) and lengths of card numbers by scheme, from what schemes and npm `credit-card-type` 10.3.0 publish
 * (November 2026). Maestro is taken by its own prefixes only: with all of 5 and 6 every fifth reference would begin like a card.
 */
const RANGES: readonly (readonly [from: string, to: string, lengths: readonly number[]])[] = [
  ["4", "4", [13, 16, 18, 19]], // Visa
  ["51", "55", [16]], // Mastercard
  ["2221", "2720", [16]],
  ["34", "34", [15]], // American Express
  ["37", "37", [15]],
  ["6011", "6011", LONG], // Discover
  ["644", "659", LONG], // and Elo, RuPay, Troy, Verve
  ["300", "305", DINERS],
  ["3095", "3095", DINERS],
  ["36", "36", DINERS],
  ["38", "39", DINERS],
  ["1800", "1800", [15]], // JCB
  ["2131", "2131", [15]],
  ["3528", "3589", LONG],
  ["62", "62", LONG], // UnionPay
  ["81", "81", LONG],
  ["2200", "2204", LONG], // Mir
  ["5018", "5018", MAESTRO],
  ["5020", "5020", MAESTRO],
  ["5038", "5038", MAESTRO],
  ["5893", "5893", MAESTRO],
  ["6304", "6304", MAESTRO],
  ["6759", "6763", MAESTRO],
  ["9792", "9792", [16]], // Troy
  ["504175", "504175", [16]], // Elo
  ["506699", "506778", [16]],
  ["509000", "509999", [16]],
  ["636297", "636297", [16]],
  ["636368", "636368", [16]],
  ["606282", "606282", [16]], // Hipercard
  ["637095", "637095", [16]], // Hiper
  ["637568", "637612", [16]],
  ["506099", "506198", LONG], // Verve
  ["507865", "507964", LONG],
  ["508500", "508999", [16]], // RuPay
  ["606985", "608500", [16]],
  ["589562", "589562", [16]], // Naranja
  ["589657", "589657", [16]], // Cabal
  ["604201", "604219", [16]],
];

/** Whether these digits, without separators, are a card's: the check digit is right, and a scheme gives out such numbers. */
export function isCardNumber(digits: string): boolean {
  return (
    digits.at(-1) === checkDigitOf(digits.slice(0, -1)) &&
    RANGES.some(([from, to, lengths]) => {
      const first = digits.slice(0, from.length);
      return first >= from && first <= to && lengths.includes(digits.length);
    })
  );
}

/** The last digit of a number that begins with these: Luhn's, ISO/IEC 7812-1. */
export function checkDigitOf(digits: string): string {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[index]);
    sum += (digits.length - index) % 2 === 1 ? (DOUBLED[digit] ?? 0) : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

/** What stands between groups of digits: a blank, one that breaks no line, a thin one, a point, a hyphen. */
const GAP = "[ \\u00a0\\u2009\\u202f.-]";
/** Ways to write a card number, the longest first: solid, in fours with a rest, American Express, Diners. */
const SHAPES = [
  "\\d{13,19}",
  `\\d{4}(?:${GAP}\\d{4}){3}${GAP}\\d{1,3}`,
  `\\d{4}(?:${GAP}\\d{4}){3}`,
  `\\d{4}(?:${GAP}\\d{4}){2}${GAP}\\d{1,3}`,
  `\\d{4}${GAP}\\d{6}${GAP}\\d{5}`,
  `\\d{4}${GAP}\\d{6}${GAP}\\d{4}`,
].map((shape) => new RegExp(shape, "y"));
const ANY = new RegExp(`(?:[0-9]${GAP}?){13}`);
const GAPS = new RegExp(GAP, "g");
/** A magnetic stripe, track 1 or 2 (ISO/IEC 7813): the number, a name, the expiry and what nobody may keep. */
const TRACK = /(?<![0-9A-Za-z])(%?B)?(\d{13,19})(?:[=D]|\^[^^\n]{2,26}\^)\d{4}[0-9A-Za-z]{0,60}/g;
/** A number begins and ends where no letter or digit is next to it: the digits of a hash or of a longer number are no card's. */
const BEGINNINGS = /(?<![0-9A-Za-z])\d/g;
const CONTINUED = /[0-9A-Za-z]/;

/** The text with the middle digits of each card number in it as `*`: the first six and the last four may be shown (PCI DSS 3.4.1). */
export function maskNumbersIn(text: string): string {
  return text.length < 13 || !ANY.test(text) ? text : maskedNumbers(maskedTracks(text));
}

const maskedTracks = (text: string): string =>
  text.replaceAll(TRACK, (track, format: string | undefined, number: string) =>
    isCardNumber(number) ? `${format ?? ""}${maskNumber(number)}***` : track,
  );

function maskedNumbers(text: string): string {
  let masked = "";
  let done = 0;
  for (const { index } of text.matchAll(BEGINNINGS)) {
    const number = index < done ? undefined : numberAt(text, index);
    if (number !== undefined) {
      masked += text.slice(done, index) + maskNumber(number);
      done = index + number.length;
    }
  }
  return masked + text.slice(done);
}

function numberAt(text: string, index: number): string | undefined {
  for (const shape of SHAPES) {
    shape.lastIndex = index;
    const number = shape.exec(text)?.[0];
    if (number === undefined || CONTINUED.test(text.charAt(index + number.length))) {
      continue;
    }
    if (isCardNumber(number.replaceAll(GAPS, ""))) {
      return number;
    }
  }
  return undefined;
}

/** Its digits but for the first six and the last four as `*`, whatever stands between them. Fewer than 12 digits are no whole number. */
export function maskNumber(text: string): string {
  const count = text.replaceAll(/[^0-9]/g, "").length;
  let place = 0;
  return text.replaceAll(/[0-9]/g, (digit) => {
    place += 1;
    return count >= 12 && place > 6 && place <= count - 4 ? "*" : digit;
  });
}

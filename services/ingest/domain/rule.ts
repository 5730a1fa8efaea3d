import type { Format } from "./document.js";
import type { FailureReason } from "./normalised.js";
import type { Path } from "./path.js";
import type { DateOrder } from "./time.js";

/**
 * Rules are data: what is known of a provider's shapes, with no code of its own. Values are compared in lower case and without
 * blanks around them. A list of values is text with `, ` between them; `a|b` stands for either, `*` at the end for whatever follows.
 */
export type Values = string;

export interface Condition {
  /** Of several paths one is enough. */
  readonly at: Path | readonly Path[];
  /** Without values: that there is something. */
  readonly is?: Values;
  readonly absent?: true;
}

/**
 * What a status means. An outcome is a status category or a code of UNPROCESSED, and may go on with a reason or with what it takes
 * back: `DECLINED FRAUD_SUSPECTED`, `FAILED undoes APPROVED`.
 */
export interface StatusTable {
  /** The texts at several paths are joined with `/`; what is missing is empty. */
  readonly by: readonly Path[];
  readonly outcomes: Readonly<Record<string, Values>>;
  /** Digits that the first text is padded to with zeros. */
  readonly pad?: number;
  /** Only what it lists is decided here, the rest by the next table. Any other table has the last word on a text that it finds. */
  readonly exceptions?: true;
}

export type ReasonTable = Readonly<Partial<Record<FailureReason, Values>>>;

/** Why a payment was declined or failed: the first path whose text the table has. The most specific comes first. */
export interface ReasonPlace {
  readonly at: readonly Path[];
  readonly table: ReasonTable;
  readonly pad?: number;
  /** A code that the table does not know ends the search: what follows is about more than the record. */
  readonly decides?: true;
  /** Codes of systems rather than of issuers: what they declined FAILED. */
  readonly technical?: Values;
}

/** A text of the document: that of the first path that has one. */
export interface TextPlace {
  readonly at: readonly Path[];
  /** From and to character. */
  readonly slice?: readonly [from: number, to: number];
  /** What follows its last `/`. */
  readonly lastSegment?: true;
  /** What its values stand for; others stand for nothing. */
  readonly map?: Readonly<Record<string, string>>;
}

/** What one unit of an amount is: by the provider's own decimals, always a hundredth, or the currency's main unit. */
export type Unit = "minor" | "cents" | "major";

export interface AmountPlace {
  /** Statuses that it is for; without it for all. */
  readonly for?: Values;
  readonly at: readonly Path[];
  /** What was moved before and is contained in it. */
  readonly minus?: Path;
  /** Its parts, added; in place of `at` where that has nothing. */
  readonly sum?: readonly Path[];
  readonly unit: Unit;
  /** Where the number of decimals of a minor unit stands. */
  readonly exponent?: Path;
  /** As of text that people read. Without it digits with a point. */
  readonly notation?: "any" | "comma_decimal" | "point_decimal";
  /** The sign tells the direction, and is dropped whatever the status is. */
  readonly signed?: true;
  /** It stands in what the record is in, so no record has it that is not the only one there. */
  readonly ifAlone?: true;
}

export interface TimePlace {
  /** The first that has a text; of several paths in a list the texts make one time: day and clock, or three or six parts from the year on. */
  readonly at: readonly (Path | readonly Path[])[];
  readonly zone?: string;
  readonly zoneAt?: Path;
  readonly order?: DateOrder;
  /** MMDDhhmmss in GMT. */
  readonly withoutYear?: true;
}

export interface IdPlaces {
  /** The notification's own, new for each but its repetitions. */
  readonly notification?: readonly Path[];
  /** What the event is about. */
  readonly object: readonly Path[];
  /**
   * Without an id of the notification: what is another in each event of an object, beside what the rule reads as status, amount and
   * time, which always is.
   */
  readonly version: readonly Path[];
  /** Equal records of one body are payments of their own, told apart by their number: two bus fares on a statement. */
  readonly counted?: true;
}

export interface Rule {
  /** Of the shape, within its provider. */
  readonly name: string;
  /** JSON where nothing is said. */
  readonly format?: Format | "any";
  /** All must hold. The first decides where the rule is looked up: it has to be about a member of the document itself. */
  readonly when: readonly Condition[];
  /** Others have this shape too: only for those who name the provider. */
  readonly hinted?: true;
  /** Others may have it: not for those who name a provider that no rule knows. */
  readonly common?: true;
  /** None of its members is a list or an object, but for what is said of people and of the merchant. */
  readonly flat?: true;
  /** Lists whose items are records of their own, each within the one before. */
  readonly each?: readonly Path[];
  readonly status: readonly StatusTable[];
  readonly reasons?: readonly ReasonPlace[];
  readonly amount?: readonly AmountPlace[];
  readonly currency?: TextPlace;
  /** Its name, where there is none its code with the provider. */
  readonly merchant?: TextPlace;
  /** The merchant's; never the card's, the shopper's or the issuer's. */
  readonly country?: TextPlace;
  readonly time?: TimePlace;
  readonly id: IdPlaces;
  /** Without it, or where it has nothing, the payment is the object. */
  readonly payment?: readonly TextPlace[];
  /** What is kept though there is no field for it. */
  readonly metadata?: Readonly<Record<string, readonly Path[]>>;
}

export interface ProviderRules {
  readonly provider: string;
  /** What else it is called in hints, in lower case and without what is no letter. */
  readonly aliases?: readonly string[];
  /** Decimals of minor units where they differ from ISO 4217. */
  readonly digits?: Readonly<Record<string, number>>;
  /** Its text may come without a line of names: columns are called `1`, `2`, … */
  readonly headerless?: true;
  readonly rules: readonly Rule[];
}

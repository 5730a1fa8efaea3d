/** Figures that others published of payments, with where they were read. What was only remembered is not here. */
export interface Published {
  /** A figure, or the least and the most of it. */
  readonly least: number;
  readonly most: number;
  readonly source: string;
}

const figure = (value: number, source: string): Published => ({ least: value, most: value, source });

/** Benford's law: the share of numbers that begin with a digit. A formula, not a measurement; prices follow it roughly. */
export const BENFORD: readonly number[] = Array.from({ length: 9 }, (_, i) => Math.log10(1 + 1 / (i + 1)));

/** Each is of another country and year than the data, so near is what lies within a quarter of it. */
export const PUBLISHED = {
  /** Card purchases in groceries, household scanner data of the US. */
  groceryUsd: figure(
    64.91,
    "Boston Fed, Payment Choice with Consumer Panel Data, as told by demomemo.blogspot.com/2013/08",
  ),
  /** By debit and by credit card, survey of 2,879 US cardholders, 2023. */
  restaurantUsd: { least: 34, most: 51, source: "PYMNTS and Payroc, pymnts.com/?p=1382626" },
  /** A withdrawal, US, 2012. */
  cashUsd: figure(118, "Federal Reserve Payments Study 2013, as told by creditcards.com"),
  /** A card payment, euro area, 2018. */
  paymentEur: figure(44, "ECB, as told by pn.glenbrook.com"),
  /** Approved of those with the card there, and without: survey of US merchants, 2022. */
  approvedPresent: { least: 0.96, most: 1, source: "Aite-Novarica 2022, as told by datos-insights.com" },
  approvedRemote: figure(0.81, "Aite-Novarica 2022, as told by datos-insights.com"),
  /** Of all cards' volume worldwide, 2022; 4 % in the Americas. */
  crossBorder: {
    least: 0.04,
    most: 0.06,
    source: "RBR Data Services 2022, of volume, as told by fintechfrontiers.live",
  },
  /** Saturday from 10:00 to 17:00, of a week's spending; terminals of New Zealand, May 2017. */
  saturday: figure(0.115, "Paymark, scoop.co.nz BU1706/S00102"),
  /** Of all value, cards of SEPA, 2019. */
  fraudValue: figure(0.000_36, "ECB, seventh report on card fraud (October 2021)"),
} as const satisfies Record<string, Published>;

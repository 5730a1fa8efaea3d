/** An answer of the report, as a reader gets it. */
export interface ReportAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

interface Sum {
  readonly currency: string;
  readonly count: number;
  readonly amount: string;
}

type Body = { readonly version: string; readonly totals: readonly Sum[] } & Readonly<Record<string, unknown>>;

const V1_KEYS = ["as_of", "totals", "version"];
const BREAKDOWNS = ["by_affiliate", "by_day", "by_status"] as const;
const V2_KEYS = [...V1_KEYS, ...BREAKDOWNS, "campaigns", "mean_amount", "success_rate"].sort();

/** Of how many payouts and how much money some rows are, by currency. */
function totalOf(rows: readonly Sum[]): string {
  const sums = new Map<string, { count: number; minor: bigint }>();
  for (const { currency, count, amount } of rows) {
    const { count: n, minor } = sums.get(currency) ?? { count: 0, minor: 0n };
    sums.set(currency, { count: n + count, minor: minor + BigInt(amount.replace(".", "")) });
  }
  return [...sums]
    .map(([currency, { count, minor }]) => `${currency} ${count} ${minor}`)
    .sort()
    .join(", ");
}

/**
 * Looks at answers as somebody does who trusts none: each must be of one version, one epoch and one moment, and none older than a switch
 * that was answered before it was asked for.
 */
export class Checker {
  /** What is wrong with answers that came: a mixture, or an old one. */
  readonly mixed: string[] = [];
  /** Answers that are none, by what they were. */
  readonly errors = new Map<string, number>();
  /** `epoch version generation` of all answers; what the database says of each epoch decides on them. */
  readonly seen = new Set<string>();
  readonly #bodies = new Map<string, { readonly text: string; readonly body: Body }>();

  /** @param leastEpoch of the latest switch that was answered when this was asked for */
  look({ status, headers, text }: ReportAnswer, leastEpoch: number): void {
    if (status !== 200) {
      this.fail(String(status));
      return;
    }
    const etag = String(headers["etag"]);
    const known = this.#bodies.get(etag);
    const body = known?.text === text ? known.body : (JSON.parse(text) as Body);
    const [, version, epoch, generation] = /^"(v\d)-(\d+)-(\d+)-\d+"$/.exec(etag) ?? [];
    const problems = [
      version !== body.version && `the tag ${etag} of a ${body.version}`,
      headers["x-report-version"] !== body.version && `the header of a ${headers["x-report-version"]}`,
      headers["x-report-epoch"] !== epoch && `the header of epoch ${headers["x-report-epoch"]}`,
      Number(epoch) < leastEpoch && `epoch ${epoch} after ${leastEpoch} was answered`,
      ...(body === known?.body ? [] : problemsOf(body)),
      known !== undefined && known.text !== text && `two bodies under ${etag}`,
    ];
    this.mixed.push(...problems.filter((problem) => problem !== false));
    this.#bodies.set(etag, { text, body });
    this.seen.add(`${epoch} ${version} ${generation}`);
  }

  fail(what: string): void {
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }
}

/** What is wrong with a body by itself. */
function problemsOf(body: Body): readonly (string | false)[] {
  const keys = Object.keys(body).sort();
  const expected = body.version === "v1" ? V1_KEYS : V2_KEYS;
  const total = totalOf(body.totals);
  return [
    keys.join() !== expected.join() && `a ${body.version} of ${keys}`,
    ...BREAKDOWNS.map((name) => {
      const rows = body[name] as readonly Sum[] | undefined;
      return rows !== undefined && totalOf(rows) !== total && `${name} that is not the totals`;
    }),
  ];
}

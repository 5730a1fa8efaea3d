/** What dashboards show, as data; grafana/ makes Grafana's JSON of it. */

/** Grafana's names of units. */
type Unit = "short" | "percentunit" | "bytes" | "Bps" | "s" | "ops" | "mps" | "rowsps";

/** What is asked, by what it is called in the legend; a query alone has no legend. SQL of a graph gives a column `time`. */
type Series = string | PanelSpec["queries"];

interface Look {
  /** Of 24 columns. */
  readonly width?: number;
  readonly stacked?: boolean;
  /** From here on a stat is orange, and red. */
  readonly thresholds?: readonly [orange: number, red: number];
  readonly max?: number;
  /** Whom to ask; what its dashboard asks when left out. */
  readonly source?: "prometheus" | "postgres";
}

export interface PanelSpec extends Look {
  readonly kind: "stat" | "graph" | "table";
  readonly title: string;
  readonly unit: Unit;
  /** What is good, and what to do otherwise. */
  readonly description: string;
  /** By their legends. */
  readonly queries: Readonly<Record<string, string>>;
}

const panelOf =
  (kind: PanelSpec["kind"]) =>
  (title: string, unit: Unit, description: string, series: Series, look: Look = {}): PanelSpec => ({
    kind,
    title,
    unit,
    description,
    queries: typeof series === "string" ? { "": series } : series,
    ...look,
  });
export const stat = panelOf("stat");
export const graph = panelOf("graph");
export const table = panelOf("table");

/** A counter's increase a second over all who report it, `by` a label if one is given. */
export const rate = (metric: string, by = "") =>
  `sum${by && ` by (${by})`} (rate(${metric}[$__rate_interval]))`;

/** A zero where nothing of the kind has happened yet, so that the panel is not empty. */
export const orNone = (expr: string, label: string) =>
  `${expr} or label_replace(vector(0), "${label}", "none", "", "")`;

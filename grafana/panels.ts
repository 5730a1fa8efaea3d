import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  BigValueColorMode,
  LegendDisplayMode,
  LegendPlacement,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
} from "@grafana/grafana-foundation-sdk/common";
import * as dashboards from "@grafana/grafana-foundation-sdk/dashboard";
import {
  DashboardBuilder,
  type Panel,
  RowBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as GraphBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The datasources of provisioning/datasources, by their fixed uid. */
const PROMETHEUS = { type: "prometheus", uid: "payments-prometheus" };
const POSTGRES = { type: "grafana-postgresql-datasource", uid: "payments-postgres" };

/** A question to a datasource, and how its answer is called in the legend. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
  readonly source?: "prometheus" | "postgres";
}

/** What a panel shows. `description` says what is good and what to do otherwise; units are Grafana's. */
export interface PanelSpec {
  readonly kind: "stat" | "graph" | "table";
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width?: number;
  readonly stacked?: boolean;
  /** From here on a stat is orange, and red. */
  readonly thresholds?: readonly [orange: number, red: number];
  readonly max?: number;
}

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly from: string;
  readonly to: string;
  readonly refresh?: string;
  /** Name → its values; the first is the default. */
  readonly variables?: Readonly<Record<string, readonly string[]>>;
  readonly rows: readonly { readonly title: string; readonly panels: readonly PanelSpec[] }[];
}

export function prom(expr: string, legend = ""): Query {
  return { expr, legend };
}

/** A counter's increase a second over all who report it, `by` a label if one is given. */
export const rate = (metric: string, by = "") =>
  `sum${by && ` by (${by})`} (rate(${metric}[$__rate_interval]))`;

/** @param expr gives a column `time` for a graph; other columns are series by name. */
export function sql(expr: string): Query {
  return { expr, legend: "", source: "postgres" };
}

/** The dashboard as Grafana imports it; panels are numbered in their order. */
export function buildDashboard(spec: DashboardSpec): dashboards.Dashboard {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(["payments"])
    .timezone("utc")
    .readonly()
    .tooltip(dashboards.DashboardCursorSync.Crosshair)
    .time({ from: spec.from, to: spec.to });
  if (spec.refresh !== undefined) {
    builder.refresh(spec.refresh);
  }
  for (const [name, values] of Object.entries(spec.variables ?? {})) {
    const [first = ""] = values;
    builder.withVariable(
      new dashboards.CustomVariableBuilder(name)
        .label(name)
        .values(values.join(","))
        .current({ text: first, value: first, selected: true }),
    );
  }
  let id = 1;
  for (const row of spec.rows) {
    builder.withRow(new RowBuilder(row.title).id(id++));
    for (const panel of row.panels) {
      builder.withPanel(buildPanel(panel, id++));
    }
  }
  return builder.build();
}

function builderOf(spec: PanelSpec) {
  if (spec.kind === "stat") {
    return statPanel(spec);
  }
  return spec.kind === "graph" ? graphPanel(spec) : new TableBuilder();
}

function buildPanel(spec: PanelSpec, id: number): Builder<Panel> {
  const panel = builderOf(spec);
  panel
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .unit(spec.unit)
    .height(spec.kind === "stat" ? 4 : 8)
    .span(spec.width ?? (spec.kind === "stat" ? 4 : 12))
    .datasource(spec.queries[0]?.source === "postgres" ? POSTGRES : PROMETHEUS);
  for (const [n, query] of spec.queries.entries()) {
    const refId = String.fromCharCode("A".charCodeAt(0) + n);
    panel.withTarget(
      query.source === "postgres" ? sqlQuery(query, refId, spec.kind) : promQuery(query, refId, spec.kind),
    );
  }
  return panel;
}

function graphPanel(spec: PanelSpec): GraphBuilder {
  const panel = new GraphBuilder()
    .min(0)
    .lineWidth(1)
    .fillOpacity(spec.stacked === true ? 30 : 8)
    .showPoints(VisibilityMode.Never)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"]),
    );
  if (spec.max !== undefined) {
    panel.max(spec.max);
  }
  if (spec.stacked === true) {
    panel.stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  }
  return panel;
}

function statPanel(spec: PanelSpec): StatBuilder {
  const panel = new StatBuilder().reduceOptions(
    new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false),
  );
  const steps = [{ value: null, color: "green" }];
  const [orange, red] = spec.thresholds ?? [];
  if (orange === undefined || red === undefined) {
    return panel.colorMode(BigValueColorMode.None);
  }
  const colored = [...steps, { value: orange, color: "orange" }, { value: red, color: "red" }];
  // A threshold that falls: low is bad.
  const falling = [
    { value: null, color: "red" },
    { value: red, color: "orange" },
    { value: orange, color: "green" },
  ];
  return panel
    .colorMode(BigValueColorMode.Background)
    .thresholds(
      new dashboards.ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(orange <= red ? colored : falling),
    );
}

function promQuery(query: Query, refId: string, kind: PanelSpec["kind"]): Builder<Dataquery> {
  const built = new DataqueryBuilder()
    .refId(refId)
    .expr(query.expr)
    .legendFormat(query.legend)
    .datasource(PROMETHEUS);
  return kind === "graph" ? built.range() : built.instant();
}

/** The SDK has no builder for PostgreSQL's queries. */
function sqlQuery(query: Query, refId: string, kind: PanelSpec["kind"]): Builder<Dataquery> {
  const format = kind === "graph" ? "time_series" : "table";
  const built = {
    refId,
    datasource: POSTGRES,
    rawSql: query.expr,
    rawQuery: true,
    editorMode: "code",
    format,
    _implementsDataqueryVariant: () => undefined,
  };
  return { build: () => built };
}

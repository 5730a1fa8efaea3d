import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboards from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as GraphBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type { PanelSpec } from "../lib/observability/panels.js";

/** The datasources of provisioning/datasources, by their fixed uid. */
const PROMETHEUS = { type: "prometheus", uid: "payments-prometheus" };
const POSTGRES = { type: "grafana-postgresql-datasource", uid: "payments-postgres" };

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** The last hour, kept up to date, when left out. */
  readonly window?: { readonly from: string; readonly to: string };
  /** Prometheus when left out. */
  readonly source?: PanelSpec["source"];
  /** Name → its values; the first is the default. */
  readonly variables?: Readonly<Record<string, readonly string[]>>;
  /** By the rows' titles. */
  readonly rows: Readonly<Record<string, readonly PanelSpec[]>>;
}

/** The dashboard as Grafana imports it; panels are numbered in their order. */
export function buildDashboard(spec: DashboardSpec): dashboards.Dashboard {
  const builder = new dashboards.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(["payments"])
    .timezone("utc")
    .readonly()
    .tooltip(dashboards.DashboardCursorSync.Crosshair)
    .time(spec.window ?? { from: "now-1h", to: "now" });
  if (spec.window === undefined) {
    builder.refresh("15s");
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
  for (const [title, panels] of Object.entries(spec.rows)) {
    builder.withRow(new dashboards.RowBuilder(title).id(id++));
    for (const panel of panels) {
      builder.withPanel(buildPanel(panel, id++, panel.source ?? spec.source));
    }
  }
  return builder.build();
}

const BUILDERS = { stat: statPanel, graph: graphPanel, table: () => new TableBuilder() };

function buildPanel(spec: PanelSpec, id: number, source: PanelSpec["source"]): Builder<dashboards.Panel> {
  const { kind } = spec;
  const panel = BUILDERS[kind](spec)
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .unit(spec.unit)
    .height(kind === "stat" ? 4 : 8)
    .span(spec.width ?? (kind === "stat" ? 4 : 12))
    .datasource(source === "postgres" ? POSTGRES : PROMETHEUS);
  for (const [n, [legend, expr]] of Object.entries(spec.queries).entries()) {
    const refId = String.fromCharCode("A".charCodeAt(0) + n);
    panel.withTarget(
      source === "postgres" ? sqlQuery(expr, refId, kind) : promQuery(expr, legend, refId, kind),
    );
  }
  return panel;
}

function graphPanel(spec: PanelSpec): GraphBuilder {
  const panel = new GraphBuilder()
    .min(0)
    .lineWidth(1)
    .fillOpacity(spec.stacked === true ? 30 : 8)
    .showPoints(common.VisibilityMode.Never)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"]),
    );
  if (spec.max !== undefined) {
    panel.max(spec.max);
  }
  if (spec.stacked === true) {
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  }
  return panel;
}

function statPanel(spec: PanelSpec): StatBuilder {
  const panel = new StatBuilder().reduceOptions(
    new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false),
  );
  if (spec.thresholds === undefined) {
    return panel.colorMode(common.BigValueColorMode.None);
  }
  const [orange, red] = spec.thresholds;
  // A threshold that falls: low is bad.
  const [low, high] = orange <= red ? ["green", "red"] : ["red", "green"];
  return panel.colorMode(common.BigValueColorMode.Background).thresholds(
    new dashboards.ThresholdsConfigBuilder().mode(dashboards.ThresholdsMode.Absolute).steps([
      { value: null, color: low },
      { value: Math.min(orange, red), color: "orange" },
      { value: Math.max(orange, red), color: high },
    ]),
  );
}

function promQuery(expr: string, legend: string, refId: string, kind: PanelSpec["kind"]): Builder<Dataquery> {
  const built = new DataqueryBuilder().refId(refId).expr(expr).legendFormat(legend).datasource(PROMETHEUS);
  return kind === "graph" ? built.range() : built.instant();
}

/** The SDK has no builder for PostgreSQL's queries. */
function sqlQuery(rawSql: string, refId: string, kind: PanelSpec["kind"]): Builder<Dataquery> {
  const built = {
    refId,
    datasource: POSTGRES,
    rawSql,
    rawQuery: true,
    editorMode: "code",
    format: kind === "graph" ? "time_series" : "table",
    _implementsDataqueryVariant: () => undefined,
  };
  return { build: () => built };
}

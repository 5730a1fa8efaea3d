import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { packageRoot } from "../../lib/root.js";

/** What the repository says of monitoring, read from its files. */

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly rawSql?: string;
  readonly legendFormat?: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly legend?: { readonly showLegend?: boolean } };
  readonly targets?: readonly Target[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const read = (path: string) => readFileSync(join(packageRoot, path), "utf8");

export function rules(): Rule[] {
  return ["prometheus/recording.yml", "prometheus/alerts.yml"].flatMap((path) => {
    const { groups } = parse(read(path)) as { groups: { rules: Rule[] }[] };
    return groups.flatMap((group) => group.rules);
  });
}

export function alerts(): (Rule & { alert: string })[] {
  return rules().filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);
}

/** Names of the metrics that prometheus/postgres_exporter.yml adds. */
export function exporterMetrics(): string[] {
  const file = parse(read("prometheus/postgres_exporter.yml")) as Record<
    string,
    { metrics: Record<string, { usage: string }>[] }
  >;
  return Object.entries(file).flatMap(([namespace, { metrics }]) =>
    metrics
      .flatMap((metric) => Object.entries(metric))
      .filter(([, { usage }]) => usage !== "LABEL")
      .map(([column]) => `${namespace}_${column}`),
  );
}

/** The first column of the table in docs/metrics.md, and where it says the metric comes from. */
export function documentedMetrics(): Map<string, string> {
  const rows = [...read("docs/metrics.md").matchAll(/^\| `([a-z_:0-9]+)` \| ([^|]+) \|/gim)];
  return new Map(rows.map(([, name = "", source = ""]) => [name, source.trim()]));
}

/** A histogram's or summary's own name, of a series of it. */
export function familyOf(name: string): string {
  return name.replace(/_(bucket|count|sum)$/, "");
}

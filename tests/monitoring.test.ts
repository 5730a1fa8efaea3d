import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MODULES } from "../app/modules.js";
import { DASHBOARDS, renderDashboards } from "../grafana/generate.js";
import { LIB_METRICS } from "../lib/runtime/module.js";
import { readCompose } from "./harness/compose.js";
import {
  alerts,
  type Dashboard,
  documentedMetrics,
  exporterMetrics,
  familyOf,
  type Panel,
  read,
  rules,
  type Target,
} from "./harness/monitoring.js";
import { metricNames, withoutGrafana } from "./harness/promql.js";

const rendered = renderDashboards();
const dashboards = DASHBOARDS.map(
  ({ uid }) => JSON.parse(read(`grafana/dashboards/${uid}.json`)) as Dashboard,
);
const shown = (dashboard: Dashboard) => dashboard.panels.filter((panel) => panel.type !== "row");
const targetsOf = (panel: Panel): readonly Target[] => panel.targets ?? [];
const expressions = [
  ...rules().map((rule) => ({ where: rule.alert ?? rule.record ?? "", expr: rule.expr })),
  ...dashboards.flatMap((dashboard) =>
    shown(dashboard).flatMap((panel) =>
      targetsOf(panel)
        .filter((target) => target.expr !== undefined)
        .map((target) => ({
          where: `${dashboard.title}: ${panel.title}`,
          expr: withoutGrafana(target.expr ?? ""),
        })),
    ),
  ),
];
const documented = documentedMetrics();
const declared = [LIB_METRICS, ...MODULES.map(({ metrics }) => metrics)].flatMap((each) =>
  Object.values(each),
);
const ownMetrics = declared.map(({ name }) => name);

describe("dashboards", () => {
  it.each(Object.keys(rendered))("%s is what npm run dashboards makes", (path) => {
    expect(read(path)).toBe(rendered[path]);
  });

  it("have names of their own", () => {
    expect(dashboards.map((dashboard) => dashboard.title)).toEqual([
      "Payments - Postgres Overview",
      "Payments - Pipeline",
      "Payments - RabbitMQ",
      "Payments - Business",
      "Services - Health",
      "Services - Broker",
      "Services - Database",
      "Services - Business",
    ]);
    expect(new Set(dashboards.map((dashboard) => dashboard.uid)).size).toBe(dashboards.length);
  });

  it.each(dashboards)(
    "$title: every panel has an id, a unit, a description, a legend and a query",
    (dashboard) => {
      expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
      expect(new Set(shown(dashboard).map((panel) => panel.title)).size).toBe(shown(dashboard).length);
      for (const panel of shown(dashboard)) {
        const where = `${dashboard.title}: ${panel.title}`;
        expect(panel.fieldConfig?.defaults.unit, where).toMatch(/^[a-zA-Z]+$/);
        expect(panel.description?.length ?? 0, where).toBeGreaterThan(10);
        expect(targetsOf(panel).length, where).toBeGreaterThan(0);
        expect(new Set(targetsOf(panel).map((target) => target.refId)).size).toBe(targetsOf(panel).length);
        if (panel.type === "timeseries") {
          expect(panel.options?.legend?.showLegend, where).toBe(true);
          for (const target of targetsOf(panel)) {
            if (target.expr !== undefined) {
              expect(target.legendFormat, where).not.toBe("");
            }
          }
        }
      }
    },
  );

  it.each(dashboards)("$title: nothing lies over anything else, nor outside", (dashboard) => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          const cell = `${column}/${row}`;
          expect(taken.get(cell), `${title} lies over ${taken.get(cell)}`).toBeUndefined();
          taken.set(cell, title);
        }
      }
    }
  });

  it("refer to datasources that are provisioned", () => {
    const { datasources } = parse(read("grafana/provisioning/datasources/datasources.yml")) as {
      datasources: { uid: string; type: string }[];
    };
    const known = datasources.map(({ uid, type }) => `${type} ${uid}`);
    for (const { datasource } of dashboards.flatMap(shown).flatMap(targetsOf)) {
      expect(known).toContain(`${datasource.type} ${datasource.uid}`);
    }
  });

  it("point to runbooks that exist", () => {
    const names = new Set(alerts().map((rule) => rule.alert));
    const said = dashboards
      .flatMap(shown)
      .flatMap((panel) => [...(panel.description ?? "").matchAll(/see ([A-Z]\w+)(?: and ([A-Z]\w+))?/gi)])
      .flatMap(([, one, two]) => [one, two])
      .filter((name): name is string => name !== undefined && /^[A-Z][a-z]+[A-Z]/.test(name));
    expect(said.length).toBeGreaterThan(10);
    for (const name of said) {
      expect([...names]).toContain(name);
    }
  });
});

describe("expressions", () => {
  it.each(expressions)("$where reads metrics that are documented", ({ expr }) => {
    const recorded = new Set(rules().map((rule) => rule.record));
    const unknown = metricNames(expr).filter(
      (name) => !documented.has(familyOf(name)) && !documented.has(name) && !recorded.has(name),
    );
    expect(unknown).toEqual([]);
  });

  it("that are none are noticed", () => {
    expect(() => metricNames("sum(rate(up[5m])")).toThrow("not PromQL");
    expect(() => metricNames("up ==")).toThrow("not PromQL");
    expect(metricNames('a{b="c"} / on (x) sum by (y) (rate(d_bucket[5m])) or absent(e)')).toEqual([
      "a",
      "d_bucket",
      "e",
    ]);
  });
});

describe("postgres_exporter", () => {
  const { command = [] } = readCompose().services["postgres-exporter"] ?? {};
  const flags = command.filter((flag) => flag.includes("collector."));

  it("serves nothing of its own under a name of the query file: it would refuse both", () => {
    const own = Object.keys(parse(read("prometheus/postgres_exporter.yml"))).filter((name) =>
      name.startsWith("pg_"),
    );
    expect(own.length).toBeGreaterThan(0);
    for (const name of own) {
      expect(flags).toContain(`--no-collector.${name.slice("pg_".length)}`);
    }
  });

  it("is started alike in compose and in the local stack", () => {
    const [, list = ""] = /^MON_EXPORTER_FLAGS=\((.*)\)$/m.exec(read("scripts/stack_monitoring.sh")) ?? [];
    expect(list.split(" ")).toEqual(flags);
  });
});

describe("docs/metrics.md", () => {
  it("has every metric of ours", async () => {
    const missing = [...ownMetrics, ...exporterMetrics(), ...rules().flatMap((rule) => rule.record ?? [])];
    expect(missing.filter((name) => !documented.has(name))).toEqual([]);
  });

  it("has none that nobody serves or reads", async () => {
    const used = new Set(expressions.flatMap(({ expr }) => metricNames(expr)));
    const known = new Set([...ownMetrics, ...exporterMetrics(), ...used, ...[...used].map(familyOf)]);
    expect([...documented.keys()].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("alerts", () => {
  const runbooks = read("docs/alert.md");
  const tests = parse(read("prometheus/alerts_test.yml")) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };

  it.each(alerts())("$alert has a severity, a summary, and a runbook with its four parts", (rule) => {
    expect(["critical", "warning"]).toContain(rule.labels?.["severity"]);
    expect(rule.annotations?.["summary"]).toMatch(/^[^\n]{10,160}\.$/);
    expect(rule.annotations?.["runbook_url"]).toBe(`docs/alert.md#${rule.alert.toLowerCase()}`);
    const [, section = ""] = runbooks.split(new RegExp(`^### ${rule.alert}$`, "m"));
    const text = section.split(/^##/m)[0] ?? "";
    for (const part of ["Means", "See", "Do", "Try"]) {
      expect(text, rule.alert).toContain(`**${part}:**`);
    }
  });

  it("have no runbook without an alert", () => {
    const headings = [...runbooks.matchAll(/^### (.*)$/gm)].map(([, name]) => name);
    expect(headings.sort()).toEqual(
      alerts()
        .map((rule) => rule.alert)
        .sort(),
    );
  });

  it.each(alerts())("$alert is tested to be quiet, to fire and to resolve", ({ alert }) => {
    const own = tests.tests.map(({ alert_rule_test }) =>
      alert_rule_test.filter((test) => test.alertname === alert),
    );
    const fires = own.filter((steps) => steps.map((step) => step.exp_alerts.length).join() === "0,1,0");
    expect(fires.length).toBeGreaterThan(0);
  });

  it("are tested in an order that has all groups, what is recorded first: promtool takes one that is missing before it", () => {
    const { group_eval_order: order } = parse(read("prometheus/alerts_test.yml")) as {
      group_eval_order: string[];
    };
    const names = ["recording.yml", "alerts.yml"].flatMap((file) => {
      const { groups } = parse(read(`prometheus/${file}`)) as { groups: { name: string }[] };
      return groups.map(({ name }) => name);
    });
    expect(order).toEqual(names);
  });

  it("that are inhibited, or inhibit, exist", () => {
    const names = new Set(alerts().map((rule) => rule.alert));
    const named = [...read("prometheus/alertmanager.yml").matchAll(/alertname (?:=~|!~|!=|=) "([^"]+)"/g)];
    expect(named.length).toBeGreaterThan(3);
    for (const [, list = ""] of named) {
      for (const name of list.split("|")) {
        expect([...names]).toContain(name);
      }
    }
  });
});

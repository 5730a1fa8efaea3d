import { parser } from "@prometheus-io/lezer-promql";

/** Grafana's own variables, which Prometheus does not know, as a test asks in their place. */
export function withoutGrafana(expr: string): string {
  return expr.replaceAll("$__rate_interval", "1m").replaceAll("$__range", "1h");
}

/**
 * The metrics that an expression reads.
 *
 * @throws when it is not PromQL, with the place.
 */
export function metricNames(expr: string): string[] {
  const names = new Set<string>();
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.type.isError) {
        throw new Error(`not PromQL at ${node.from}: ${expr}`);
      }
      if (node.name !== "VectorSelector") {
        return;
      }
      const name = node.node.getChild("Identifier");
      if (name === null) {
        throw new Error(`a selector without a metric's name at ${node.from}: ${expr}`);
      }
      names.add(expr.slice(name.from, name.to));
    },
  });
  return [...names];
}

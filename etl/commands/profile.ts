import { Command } from "commander";
import { type ActionWrapper, withDatabase } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import type { Profile } from "../profile/read.js";
import type { Shape } from "../profile/report.js";
import type { EtlSettings } from "../settings.js";
import { firstDayOf } from "./month.js";
import { show } from "./show.js";

export function profileCommand(action: ActionWrapper<EtlSettings>): Command {
  return new Command("profile")
    .description("shapes of the data beside published ones: what it is like, and what it is not")
    .argument("[month]", "YYYY-MM; all that are published when left out")
    .action(
      action(async (context, month: string | undefined, _options: object) => {
        const profile = await withDatabase(context, async (pool) => {
          const { profileOf } = await import("../profile/read.js");
          return profileOf(pool, month === undefined ? undefined : firstDayOf(month));
        });
        return show(context, profile, describe(profile));
      }),
    );
}

function describe({ rows, months, shapes }: Profile): string {
  const table = formatTable(
    ["shape", "found", "published", "distance", "verdict"],
    shapes.map(({ shape, unit, found, published, distance, verdict }) => [
      shape,
      text(found, unit),
      published === null ? "-" : rangeOf(published, unit),
      distance === null ? "-" : distance.toFixed(3),
      verdict,
    ]),
  );
  const sources = new Set(shapes.flatMap(({ published }) => (published === null ? [] : [published.source])));
  return [
    `${formatCount(rows)} rows of ${months.length} month(s)`,
    "",
    table,
    "",
    "published by:",
    ...[...sources].map((source) => `  ${source}`),
    "distance: of first digits the total variation, else the logarithm of how many times a figure is off; near is at most 0.05, else 0.22",
  ].join("\n");
}

function text(value: number | null, unit: Shape["unit"]): string {
  if (value === null) {
    return "no row";
  }
  if (unit === "share") {
    return `${(value * 100).toFixed(value < 0.01 ? 3 : 1)} %`;
  }
  return unit === "total variation" || unit === "exponent" ? value.toFixed(3) : `${value.toFixed(2)} ${unit}`;
}

const rangeOf = ({ least, most }: { readonly least: number; readonly most: number }, unit: Shape["unit"]) =>
  least === most ? text(least, unit) : `${text(least, unit)} to ${text(most, unit)}`;

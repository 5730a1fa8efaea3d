import type { Profile } from "../../../services/console/contracts/data.js";
import { Bars, Length, sharesOf } from "../components/bars.js";
import { Chart } from "../components/chart.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Instant, None } from "../components/value.js";
import { queryText } from "../lib/api.js";
import { counted, measureText, shareText } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";

type Shape = Profile["shapes"][number];

const HOUR_S = 3_600;
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/** A month's shapes beside those that others published. It is read whole, so only where somebody asks for them. */
export function Shapes({ month }: { readonly month: string }) {
  const answer = useAnswer<Profile>(`data/profile${queryText({ month })}`);
  return (
    <Show answer={answer}>
      {({ rows, shapes, as_of }) => (
        <>
          <p class="quiet">
            {counted(rows, "row")}, read <Instant at={as_of} />. A mark on a bar is what was published.
          </p>
          <div class="charts">{shapes.map(Parts)}</div>
          <Table
            caption="Shapes of the month"
            columns={[
              { head: "Shape", cell: ({ shape }) => shape },
              { head: "Beside published", cell: Compared },
              { head: "Found", cell: ({ found, unit }) => figure(found, unit), numeric: true },
              { head: "Published", cell: Published, numeric: true },
              { head: "Distance", cell: ({ distance }) => figure(distance), numeric: true },
              { head: "Verdict", cell: ({ verdict }) => <State state={verdict} /> },
              { head: "Source", cell: ({ published }) => published?.source ?? <None /> },
            ]}
            rows={shapes}
            keyOf={({ shape }) => shape}
            empty="The month has no shapes."
          />
        </>
      )}
    </Show>
  );
}

function figure(value: number | null, unit: Shape["unit"] = "exponent") {
  return value === null ? (
    <None />
  ) : (
    <span class="num">{measureText(unit === "share" ? value * 100 : value) + (UNITS[unit] ?? "")}</span>
  );
}
const UNITS: Partial<Record<Shape["unit"], string>> = {
  share: " %",
  EUR: " EUR",
  USD: " USD",
  hours: " hours",
};

function Published({ published, unit }: Shape) {
  if (published === null) {
    return <None />;
  }
  const { least, most } = published;
  return (
    <>
      {least < most && <>{figure(least, unit)} to </>}
      {figure(most, unit)}
    </>
  );
}

/** Of a distance from a whole distribution 1 is all, of any other figure the larger of both. */
function Compared({ found, published, unit }: Shape) {
  if (published === null || found === null) {
    return <None />;
  }
  const { least, most } = published;
  const all = unit === "total variation" ? 1 : Math.max(found, most);
  return <Length share={found / all} mark={[least / all, most / all]} />;
}

/** Where a figure is many: hours as a chart, digits and days as bars. */
function Parts({ shape, parts, published }: Shape) {
  if (parts === undefined) {
    return null;
  }
  const title = shape.split(",")[0] ?? shape;
  if (parts.length > 9) {
    const times = parts.map((_, hour) => hour * HOUR_S);
    return (
      <Chart
        key={shape}
        title={title}
        times={times}
        series={[{ label: "rows", values: parts }]}
        format={shareText}
      />
    );
  }
  const beside = published?.parts ?? [];
  const shares = sharesOf([...parts, ...beside]);
  return (
    <figure key={shape}>
      <figcaption>
        <strong>{title}</strong>
      </figcaption>
      <Bars
        label={title}
        bars={parts.map((part, at) => {
          const [mark, told] = [shares[parts.length + at], beside[at]];
          return {
            key: String(at),
            label: parts.length === 7 ? DAYS[at] : at + 1,
            share: shares[at] ?? 0,
            mark: mark === undefined ? undefined : [mark, mark],
            value: told === undefined ? shareText(part) : `${shareText(part)}, published ${shareText(told)}`,
          };
        })}
      />
    </figure>
  );
}

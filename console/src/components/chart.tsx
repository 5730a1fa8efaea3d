import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clockText, measureText } from "../lib/text.js";

export interface Series {
  readonly label: string;
  /** One for each time; null: nothing was told, which leaves a gap. */
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format?: (value: number) => string;
}

const HEIGHT_PX = 180;
const DAY_S = 86_400;
const MAX_ROWS = 60;

/** Series over time: drawn, with the values under the pointer in words, and as a table for who sees no drawing. */
export function Chart({ title, times, series, format = measureText }: ChartProps) {
  const figure = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const [tableOpen, setTableOpen] = useState(false);
  const scheme = useScheme();
  const names = series.map(({ label }) => label).join();
  const data = [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;

  useEffect(() => {
    const [outer, inner] = [figure.current, canvas.current];
    if (outer === null || inner === null) {
      return;
    }
    const drawn = new uPlot(
      { ...optionsOf(outer, format, setAt), width: inner.clientWidth, height: HEIGHT_PX },
      data,
      inner,
    );
    plot.current = drawn;
    const resized = new ResizeObserver(() => drawn.setSize({ width: inner.clientWidth, height: HEIGHT_PX }));
    resized.observe(inner);
    return () => {
      resized.disconnect();
      drawn.destroy();
      plot.current = undefined;
    };
    // Data that is only newer is given to the drawing that stands.
  }, [names, scheme]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [times, series]);

  const index = at ?? times.length - 1;
  const time = times[index];
  return (
    <figure class="chart" ref={figure}>
      <figcaption>
        <strong>{title}</strong>
        <ul class="legend">
          {series.map(({ label, values }, place) => (
            <li key={label}>
              <span class={`swatch series-${place + 1}`} aria-hidden="true" />
              {label} <span class="num">{valueText(values[index], format)}</span>
            </li>
          ))}
          <li class="quiet num">{time === undefined ? "" : timeText(time, times)}</li>
        </ul>
      </figcaption>
      <div ref={canvas} class="canvas" role="img" aria-label={`${title}; the table below has its values`} />
      <details onToggle={({ currentTarget }) => setTableOpen(currentTarget.open)}>
        <summary>{title} as a table</summary>
        {tableOpen && <ChartTable title={title} times={times} series={series} format={format} />}
      </details>
    </figure>
  );
}

function ChartTable({ title, times, series, format = measureText }: ChartProps) {
  const last = times
    .slice(-MAX_ROWS)
    .map((time, row) => ({ time, row: Math.max(times.length - MAX_ROWS, 0) + row }));
  return (
    <table class="small">
      <caption class="unseen">{title}</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          {series.map(({ label }) => (
            <th key={label} scope="col" class="numeric">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {last.reverse().map(({ time, row }) => (
          <tr key={time}>
            <th scope="row" class="num">
              {timeText(time, times)}
            </th>
            {series.map(({ label, values }) => (
              <td key={label} class="numeric num">
                {valueText(values[row], format)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const valueText = (value: number | null | undefined, format: (value: number) => string) =>
  value === null || value === undefined ? "no data" : format(value);

/** Days where the chart spans some, else the time of day. */
function timeText(time: number, times: readonly number[]): string {
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return span > 2 * DAY_S ? new Date(time * 1_000).toISOString().slice(0, 10) : clockText(time * 1_000);
}

/** Colours are the stylesheet's: those of the legend and of the figure. */
function optionsOf(
  figure: HTMLElement,
  format: (value: number) => string,
  pointAt: (index: number | null) => void,
): Omit<uPlot.Options, "width" | "height"> {
  const { color, borderTopColor: line, fontFamily } = getComputedStyle(figure);
  const axis = {
    stroke: color,
    font: `11px ${fontFamily}`,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  };
  const swatches = [...figure.querySelectorAll(".swatch")];
  return {
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] } },
    padding: [8, 20, 0, 0],
    axes: [
      {
        ...axis,
        size: 30,
        space: 70,
        values: (_plot, splits) => splits.map((time) => timeText(time, splits).replace(/^\d{4}-/, "")),
      },
      { ...axis, size: 52, values: (_plot, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...swatches.map((swatch) => ({
        stroke: getComputedStyle(swatch).color,
        width: 1.5,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [({ cursor }) => pointAt(cursor.idx ?? null)] },
  };
}

/** Changes when the reader's system goes from light to dark, and back. */
function useScheme(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const follow = () => setDark(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return dark;
}

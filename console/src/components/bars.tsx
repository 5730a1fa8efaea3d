import type { ComponentChildren } from "preact";
import { durationText, shareText } from "../lib/text.js";

export interface Bar {
  readonly key: string;
  readonly label: ComponentChildren;
  /** Of the longest bar, 0 to 1. */
  readonly share: number;
  readonly value: ComponentChildren;
  /** A mark beside it, from and to, as shares too. */
  readonly mark?: readonly [from: number, to: number] | undefined;
}

/** Lengths beside each other; each says its value too. */
export function Bars({ label, bars }: { readonly label: string; readonly bars: readonly Bar[] }) {
  return (
    <ul class="bars" aria-label={label}>
      {bars.map((bar) => (
        <li key={bar.key}>
          <span class="bar-label">{bar.label}</span>
          <Length {...bar} />
          <span class="num">{bar.value}</span>
        </li>
      ))}
    </ul>
  );
}

/** A bar alone: whoever shows it says its value beside it. */
export function Length({ share, mark }: Pick<Bar, "share" | "mark">) {
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ inlineSize: `${share * 100}%` }} />
      {mark && (
        <i style={{ insetInlineStart: `${mark[0] * 100}%`, insetInlineEnd: `${100 - mark[1] * 100}%` }} />
      )}
    </span>
  );
}

/** How much of something is done, and when it will be. @param etaS null: nobody knows */
export function Progress(props: {
  readonly label: string;
  readonly share: number;
  readonly etaS?: number | null;
}) {
  const { label, share, etaS } = props;
  return (
    <span class="progress">
      <progress max={1} value={share} aria-label={label} />
      <span class="num">{shareText(share)}</span>
      {etaS !== undefined && (
        <span class="quiet">{etaS === null ? "time to go unknown" : `${durationText(etaS)} to go`}</span>
      )}
    </span>
  );
}

/** Values relative to the largest of them; all are zero where that is. */
export function sharesOf(values: readonly number[]): number[] {
  const largest = Math.max(...values, 0);
  return values.map((value) => (largest === 0 ? 0 : value / largest));
}

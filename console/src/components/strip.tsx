import { Mark, type Tone } from "./states.js";

/** A stretch of slots alike, from the first to the last one. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly tone: Tone;
  readonly text: string;
}

const nameOf = ({ first, last }: Stretch) => (first === last ? `Slot ${first}` : `Slots ${first} to ${last}`);

/** Slots in their order, each stretch as wide as it is long, and the same in words. */
export function Strip({ stretches }: { readonly stretches: readonly Stretch[] }) {
  return (
    <>
      <div class="strip" aria-hidden="true">
        {stretches.map((stretch) => (
          <span
            key={stretch.first}
            class={stretch.tone}
            title={`${nameOf(stretch)}: ${stretch.text}`}
            style={{ flexGrow: stretch.last - stretch.first + 1 }}
          >
            <Mark tone={stretch.tone} />
          </span>
        ))}
      </div>
      <details>
        <summary>Slots in words</summary>
        <ol>
          {stretches.map((stretch) => (
            <li key={stretch.first}>
              <Mark tone={stretch.tone} /> {nameOf(stretch)}: {stretch.text}
            </li>
          ))}
        </ol>
      </details>
    </>
  );
}

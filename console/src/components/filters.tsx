import { useEffect, useRef } from "preact/hooks";
import { queryText } from "../lib/api.js";
import { hrefOf, type Texts } from "../lib/route.js";
import { goTo, place } from "../state/place.js";
import { Choice, Field } from "./field.js";

export interface Filter {
  readonly name: string;
  readonly label: string;
  /** Values to choose from; without them it is text. */
  readonly values?: readonly string[];
  /** A time of UTC, to the minute. */
  readonly time?: true;
  /** What holds where the address says nothing; without it anything does. */
  readonly otherwise?: string;
}

/** A list's filters, which stand in the address. */
export function Filters({ filters }: { readonly filters: readonly Filter[] }) {
  const { path, query } = place.value;
  const form = useRef<HTMLFormElement>(null);
  const now = ({ name, otherwise = "" }: Filter) => query[name] ?? otherwise;
  // Back changes the address under a form that stands.
  useEffect(() => {
    for (const filter of filters) {
      const field = form.current?.elements.namedItem(filter.name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) {
        field.value = now(filter);
      }
    }
  }, [queryText(query)]);
  const apply = (event: Event) => {
    event.preventDefault();
    const entries = [...new FormData(form.current ?? undefined)].map(([name, value]) => [
      name,
      String(value).trim(),
    ]);
    goTo(path, Object.fromEntries(entries) as Texts);
  };
  return (
    <form ref={form} class="filters" onSubmit={apply} aria-label="Filters">
      {filters.map((filter) => {
        const { name, label, values, time, otherwise } = filter;
        const given = { label, name, initial: now(filter) };
        return values === undefined ? (
          <Field key={name} {...given} type={time ? "datetime-local" : "text"} />
        ) : (
          <Choice key={name} {...given} values={otherwise === undefined ? ["", ...values] : values} />
        );
      })}
      <button type="submit">Show</button>
      {filters.some(({ name }) => query[name]) && <a href={hrefOf(path)}>Show all</a>}
    </form>
  );
}

/** The address' filters and cursor as the API takes them. */
export function apiQuery(filters: readonly Filter[], query: Texts): string {
  const given = filters.map(({ name, time }) => [name, time ? instantOf(query[name]) : query[name]]);
  return queryText({ ...Object.fromEntries(given), cursor: query["cursor"] });
}

const instantOf = (minute: string | undefined) => (minute ? `${minute.slice(0, 16)}:00Z` : undefined);

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ListOf } from "../answers.js";
import type { Texts } from "../lib/route.js";
import { useAnswer } from "../state/answer.js";
import { apiQuery, type Filter, Filters } from "./filters.js";
import { Page } from "./page.js";
import { Show } from "./states.js";
import { type Column, Paging, Table } from "./table.js";

interface ListProps<Item> {
  /** Of the API: `payments`. */
  readonly path: string;
  readonly query: Texts;
  readonly filters?: readonly Filter[];
  readonly caption: string;
  readonly columns: readonly Column<Item>[];
  readonly keyOf: (item: Item) => string;
  /** Said where there is none at all. */
  readonly empty: ComponentChildren;
}

/** A page that is a list: filters, rows and the way to the next ones. */
export function ListPage<Item>(
  props: ListProps<Item> & { readonly title: string; readonly tools?: ComponentChildren },
) {
  const { title, tools, path, query, filters = [] } = props;
  const answer = useAnswer<ListOf<Item>>(path + apiQuery(filters, query));
  return (
    <Page title={title} answer={answer} tools={tools}>
      {filters.length > 0 && <Filters filters={filters} />}
      <Show answer={answer}>{(list) => <Items {...props} list={list} />}</Show>
    </Page>
  );
}

/** The rows of a list's page, and the way to the next one. */
export function Items<Item>(props: Omit<ListProps<Item>, "path"> & { readonly list: ListOf<Item> }) {
  const { list, query, filters = [], caption, columns, keyOf, empty } = props;
  const narrowed = filters.some(({ name }) => query[name]) || query["cursor"] !== undefined;
  const none =
    list.next === null ? "Nothing here fits the filters." : "None on this page; later ones may fit.";
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The link that led here went with the page before.
    if (query["cursor"] !== undefined && document.activeElement === document.body) {
      top.current?.focus();
    }
  }, []);
  return (
    <div class="items" ref={top} tabIndex={-1}>
      <Table
        caption={caption}
        columns={columns}
        rows={list.items}
        keyOf={keyOf}
        empty={narrowed || list.next !== null ? none : empty}
      />
      <Paging next={list.next} />
    </div>
  );
}

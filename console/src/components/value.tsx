import type { Link } from "../../../services/console/contracts/common.js";
import { hrefOf } from "../lib/route.js";
import { grouped, instantText, moneyText } from "../lib/text.js";

type Kind = Link["kind"] | "letter" | "month";
const PATHS: Readonly<Record<Kind, string>> = {
  payment: "payments",
  wallet: "wallets",
  pago: "payouts",
  campaign: "campaigns",
  event: "events",
  window: "windows",
  queue: "queues",
  run: "runs",
  reports: "reports",
  letter: "queues",
  month: "data",
};

/** Where something is shown. */
function hrefOfThing(kind: Kind, id: string): string {
  switch (kind) {
    case "reports":
      return hrefOf(["reports"]);
    case "month":
      return hrefOf(["data"], { month: id });
    default:
      return hrefOf([PATHS[kind], id]);
  }
}

/** An id, whole and exact, that leads to what it names; null shows as none. */
export function Id(props: { readonly kind: Kind; readonly id: string | null; readonly label?: string }) {
  const { kind, id, label } = props;
  return id === null ? (
    <None />
  ) : (
    <a class={label === undefined ? "id" : undefined} href={hrefOfThing(kind, id)}>
      {label ?? id}
    </a>
  );
}

/** A letter in its queue. */
export function LetterId(props: { readonly queue: string; readonly id: string; readonly label?: string }) {
  return (
    <a class="id" href={hrefOf(["queues", props.queue, "letters", props.id])}>
      {props.label ?? props.id}
    </a>
  );
}

export function Money(props: { readonly amount: string | null; readonly currency: string | null }) {
  const { amount, currency } = props;
  return amount === null ? (
    <None />
  ) : (
    <span class="num">{currency ? moneyText(amount, currency) : grouped(amount)}</span>
  );
}

export function Count({ of }: { readonly of: number | null }) {
  return of === null ? <None /> : <span class="num">{grouped(of)}</span>;
}

/** To the second; the whole of it in the title. */
export function Instant({ at }: { readonly at: string | null }) {
  return at === null ? (
    <None />
  ) : (
    <time class="num" dateTime={at} title={at}>
      {instantText(at)}
    </time>
  );
}

/** Not there, which is not zero: a dash that is read as none. */
export function None() {
  return (
    <span class="none">
      <span aria-hidden="true">–</span>
      <span class="unseen">none</span>
    </span>
  );
}

export const text = (value: string | null) => (value === null || value === "" ? <None /> : value);

import type { Link } from "../../../services/console/contracts/common.js";

/** Of a run of the pipeline. */
const RUN = /^r\d{1,9}$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Fields of messages by what they name; `id` and `event_id` name other things in other events. */
const NAMED: readonly (readonly [field: string, kind: Link["kind"], events?: RegExp])[] = [
  ["payment_id", "payment"],
  ["id", "payment", /^payments\.(created|checked|expired)$/],
  ["id_pago", "pago"],
  ["campaign_id", "campaign"],
  ["window_uuid", "window"],
  ["event_id", "event", /^ingest\.retry\.requested$/],
  ["run", "run"],
];

/** What a dead letter is about, by its body; none of what is no JSON, or is cut. */
export function linksOf({ event, body }: { readonly event: string | null; readonly body: string }): Link[] {
  const fields = fieldsOf(body);
  return NAMED.flatMap(([field, kind, events]) => {
    const id = fields[field];
    const isNamed = events === undefined || events.test(event ?? "");
    const shape = kind === "run" ? RUN : UUID;
    return isNamed && typeof id === "string" && shape.test(id) ? [{ kind, id, label: id }] : [];
  });
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(body)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

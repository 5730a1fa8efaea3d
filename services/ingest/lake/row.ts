import { numberText } from "../../../lib/domain/json.js";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { MAX_DEPTH, type RawBody } from "../domain/document.js";

/** A row of the lake's table, as text where JavaScript would lose digits. */
export interface LakeRow {
  readonly id: string;
  readonly data: string | null;
  readonly merchantName: string | null;
  readonly merchantCountry: string | null;
  readonly transactionalId: string | null;
}

/** What a row brings to the intake. */
export interface LakeEvent {
  readonly raw: RawBody;
  readonly hint: string | undefined;
  readonly source: "lake";
  /** The transaction and the row: a row that is taken again is known by it. */
  readonly sourceKey: string;
  /** What the event itself does not say, if it does not. */
  readonly merchant: { readonly name: string | null; readonly country: string | null };
}

/** A hint is a provider's name; what is longer is none. */
const MAX_HINT = 50;

/** Never throws: what cannot be read goes on as it is, and its outcome says so. */
export function eventOf(row: LakeRow): LakeEvent {
  const { id, transactionalId, merchantName: name, merchantCountry: country } = row;
  return {
    ...contentOf(row.data),
    source: "lake",
    sourceKey: transactionalId === null ? id : `${transactionalId}/${id}`,
    merchant: { name, country },
  };
}

function contentOf(data: string | null): Pick<LakeEvent, "raw" | "hint"> {
  const value = data === null ? null : jsonOf(data);
  if (value === undefined) {
    return { raw: { text: data as string }, hint: undefined };
  }
  if (typeof value === "string") {
    return { raw: { text: value }, hint: undefined };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { raw: { value }, hint: undefined };
  }
  const { content, provider, p_id } = value as Record<string, unknown>;
  const hint = hintOf(provider) ?? hintOf(p_id);
  return typeof content === "string" ? { raw: { text: content }, hint } : { raw: { value }, hint };
}

/** @returns undefined for what the store's JSON may be and ours may not: too deep, or cut because it is too long. */
function jsonOf(data: string): unknown {
  try {
    return parseJson(data, { maxDepth: MAX_DEPTH });
  } catch {
    return undefined;
  }
}

function hintOf(value: unknown): string | undefined {
  const text = numberText(value);
  return typeof text === "string" && text.trim() !== "" && text.length <= MAX_HINT ? text.trim() : undefined;
}

import { hash } from "node:crypto";
import { canonicalJson } from "../../../lib/http/fingerprint.js";
import type { FailureReason, StatusCategory } from "../domain/normalised.js";

/** Minor: 5000 is 50.00 USD. Major: 50.00 is. */
export const UNITS = ["minor", "major"] as const;
export type Unit = (typeof UNITS)[number];

/** How a time is written: as ISO 8601 or a number since 1970, or with its day, its month or its year first. */
export const TIME_FORMATS = ["iso", "epoch", "dmy", "mdy", "ymd"] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

/**
 * What a model said, once, about one kind of events: where each field stands, in which unit, and what each status means. Paths are
 * those of `leavesOf`. It holds no value of any event but those of statuses and reasons.
 */
export interface Mapping {
  /** Paths whose values tell kinds of events apart (`/type`), and the values, joined, that it was made for. */
  readonly kinds: Keyed<true>;
  readonly status: Keyed<StatusCategory>;
  readonly amount: { readonly path: string; readonly unit: Unit } | null;
  readonly currency: string | null;
  readonly id: string | null;
  readonly paymentRef: string | null;
  readonly occurredAt: { readonly path: string; readonly format: TimeFormat } | null;
  readonly merchant: string | null;
  readonly country: string | null;
  /** Null: a reason that has no word of ours. */
  readonly reason: Keyed<FailureReason | null> | null;
}

/** What the values at some paths, joined by ` | `, mean. */
export interface Keyed<Meaning> {
  readonly paths: readonly string[];
  readonly values: Readonly<Record<string, Meaning>>;
}

/** Fields of an event that are read from one place. */
export const FIELDS = [
  "amount",
  "currency",
  "id",
  "paymentRef",
  "occurredAt",
  "merchant",
  "country",
] as const;
export type Field = (typeof FIELDS)[number];

export function pathOf(mapping: Mapping, field: Field): string | null {
  const place = mapping[field];
  return typeof place === "string" ? place : (place?.path ?? null);
}

/** An event without one of them is of another shape; other fields may be missing now and then. */
export const requiredPaths = ({ status, amount, currency, id }: Mapping): readonly string[] =>
  [...status.paths, amount?.path, currency, id].filter((path) => typeof path === "string");

/** Equal for mappings that read the same from the same places in the same unit, whatever statuses they know. */
export function layoutOf({ kinds, status, reason, ...places }: Mapping): string {
  const layout = { ...places, kinds: kinds.paths, status: status.paths, reason: reason?.paths ?? null };
  return hash("sha256", canonicalJson(layout), "hex").slice(0, 16);
}

/** The mapping that knows what both know; undefined where they contradict each other. Both have one layout. */
export function merged(one: Mapping, other: Mapping): Mapping | undefined {
  const kinds = mergedKeys(one.kinds, other.kinds);
  const status = mergedKeys(one.status, other.status);
  const reason =
    one.reason && other.reason ? mergedKeys<FailureReason | null>(one.reason, other.reason) : null;
  return kinds && status && reason !== undefined ? { ...one, kinds, status, reason } : undefined;
}

function mergedKeys<Meaning>(one: Keyed<Meaning>, other: Keyed<Meaning>): Keyed<Meaning> | undefined {
  const entries = Object.entries(other.values);
  const contradicts = entries.some(
    ([key, meaning]) => Object.hasOwn(one.values, key) && one.values[key] !== meaning,
  );
  return contradicts ? undefined : { paths: one.paths, values: { ...one.values, ...other.values } };
}

import type { Options, MessageProperties as ReceivedProperties } from "amqplib";
import type { MessageHeaders } from "./delivery.js";

/** What a copy bears as its original did. Whether it is persistent is ours to say. */
const KEPT = [
  "messageId",
  "type",
  "contentType",
  "contentEncoding",
  "correlationId",
  "replyTo",
  "appId",
  "timestamp",
  "priority",
] as const;

/** Headers that stand for properties which a copy cannot bear. */
export const STAND_IN = {
  /** The broker lets nobody but that user name it. */
  userId: "x-producer-user-id",
  /** A message that has been taken has been in time; and its dead letter must not run out. */
  expiration: "x-producer-expiration",
} as const;

export type KeptProperties = Pick<Options.Publish, (typeof KEPT)[number]>;
export type MessageProperties = KeptProperties & Pick<Options.Publish, "headers" | "expiration">;

/** The broker takes no longer one, and closes the channel over anything else. */
const MAX_EXPIRATION_MS = 4_294_967_295;

/** The properties that a producer gave a message, for a copy of it. */
export function keptProperties(properties: ReceivedProperties): KeptProperties {
  const given = KEPT.map((name) => [name, properties[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** A message's headers, among them those that stand for what a copy cannot bear. */
export function headersOf(properties: ReceivedProperties): MessageHeaders {
  const { headers, userId, expiration } = properties;
  return {
    ...headers,
    ...(userId === undefined ? {} : { [STAND_IN.userId]: userId }),
    ...(expiration === undefined ? {} : { [STAND_IN.expiration]: expiration }),
  };
}

/** The expiration that headers say its producer gave a message: as we wrote it down, or as the broker did who buried it. */
export function expirationOf(headers: MessageHeaders): string | undefined {
  const deaths = headers["x-death"];
  const death: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  const value =
    headers[STAND_IN.expiration] ?? (death as Record<string, unknown> | undefined)?.["original-expiration"];
  const valid =
    typeof value === "string" && /^[0-9]{1,10}$/.test(value) && Number(value) <= MAX_EXPIRATION_MS;
  return valid ? value : undefined;
}

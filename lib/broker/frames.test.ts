import { createRequire } from "node:module";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../root.js";
import { type Publish, publishFrames } from "./frames.js";

/** amqplib's own encoder, which it does not export. */
const inside = (name: string) =>
  createRequire(import.meta.url)(join(packageRoot, "node_modules", "amqplib", "lib", name));
const { BasicPublish, BasicProperties, encodeMethod, encodeProperties } = inside("defs.js");
const { makeBodyFrame } = inside("frame.js");

const CHANNEL = 513;
const FRAME_MAX = 4_096;

function byAmqplib({ exchange, routingKey, mandatory, body, properties }: Publish): Buffer {
  const method = { exchange, routingKey, mandatory, immediate: false, ticket: 0 };
  const header = { headers: {}, ...properties, deliveryMode: 2 };
  const bodies: Buffer[] = [];
  for (let at = 0; at < body.length; at += FRAME_MAX - 8) {
    bodies.push(makeBodyFrame(CHANNEL, body.subarray(at, at + FRAME_MAX - 8)));
  }
  return Buffer.concat([
    encodeMethod(BasicPublish, CHANNEL, method),
    encodeProperties(BasicProperties, CHANNEL, body.length, header),
    ...bodies,
  ]);
}

const short = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => Buffer.byteLength(text) <= 255);
const publish: fc.Arbitrary<Publish> = fc.record({
  exchange: short,
  routingKey: short,
  mandatory: fc.boolean(),
  body: fc
    .oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.uint8Array({ minLength: 4_000, maxLength: 9_000, size: "max" }),
    )
    .map((bytes) => Buffer.from(bytes)),
  properties: fc.record(
    {
      messageId: short,
      type: short,
      contentType: short,
      timestamp: fc.integer({ min: 0, max: 2 ** 40 }),
      headers: fc.dictionary(
        short.filter((name) => name !== "__proto__"),
        fc.oneof(
          fc.string({ unit: "grapheme", maxLength: 2_000 }),
          fc.boolean(),
          fc.integer({ min: 0, max: 127 }),
        ),
      ),
    },
    { requiredKeys: ["messageId", "type", "contentType", "timestamp"] },
  ),
});

describe("frames", () => {
  it("of any messages are those that amqplib would write one by one", () => {
    fc.assert(
      fc.property(fc.array(publish, { maxLength: 5 }), (messages) => {
        const frames = publishFrames(CHANNEL, messages, FRAME_MAX);
        expect(frames?.equals(Buffer.concat(messages.map(byAmqplib)))).toBe(true);
      }),
    );
  });

  const event: Publish = {
    exchange: "e",
    routingKey: "k",
    mandatory: true,
    body: Buffer.from("{}"),
    properties: { messageId: "1", type: "t", contentType: "application/json", timestamp: 1, headers: {} },
  };

  it.each<[string, Record<string, unknown>]>([
    ["a header that is a list", { headers: { list: [] } }],
    ["a header that is null", { headers: { nothing: null } }],
    ["a large number", { headers: { number: 128 } }],
    ["a negative number", { headers: { number: -1 } }],
    ["a fraction", { headers: { number: 0.5 } }],
    ["the name of a header that is too long", { headers: { ["é".repeat(128)]: "" } }],
    ["a message id that is too long", { messageId: "é".repeat(128) }],
    ["no type", { type: undefined }],
    ["no time", { timestamp: undefined }],
    ["another property", { correlationId: "c" }],
  ])("%s is left to amqplib", (_, properties) => {
    const odd = { ...event, properties: { ...event.properties, ...properties } } as Publish;
    expect(publishFrames(CHANNEL, [event, odd], FRAME_MAX)).toBeUndefined();
  });
});

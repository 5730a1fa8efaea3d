import { randomUUID } from "node:crypto";
import type { Channel, ConsumeMessage } from "amqplib";
import type { Delivery } from "./delivery.js";
import { attemptOf, deliveryCountOf, holderOf, wasHandedBack } from "./headers.js";
import type { Link } from "./link.js";
import { headersOf } from "./properties.js";
import { Slots } from "./slots.js";

/** A message, and where it can be settled: delivery tags belong to their channel. */
export interface Receipt {
  readonly link: Link;
  readonly channel: Channel;
  readonly message: ConsumeMessage;
}

/**
 * A message and the handler at work on it. They need not stay together: one that is held for long is replaced by a copy, and
 * when the copy comes here while the handler is still at work, that handler answers for it.
 */
export class InFlight {
  readonly holder: string;
  readonly delivery: Delivery;
  readonly overdue = new AbortController();
  /** One at a time: settling, handing back, replacing by a copy. */
  readonly fate = new Slots(1);
  #receipts: Receipt[];
  state: "waiting" | "at work" | "over" = "waiting";

  constructor(receipt: Receipt) {
    const { fields, content, properties } = receipt.message;
    const headers = headersOf(properties);
    this.holder = holderOf(headers) ?? randomUUID();
    this.#receipts = [receipt];
    this.delivery = {
      body: content,
      headers,
      messageId: properties.messageId,
      type: properties.type,
      attempt: attemptOf(headers),
      redelivered: fields.redelivered || wasHandedBack(headers),
      deliveryCount: deliveryCountOf(headers),
      lost: receipt.link.over,
      overdue: this.overdue.signal,
    };
  }

  /** Whether a message is a copy of this one, whose handler is at work. Anybody may write anything into a header, so its body counts too. */
  isFor({ content, properties }: ConsumeMessage): boolean {
    if (this.state === "over" || holderOf(properties.headers ?? {}) !== this.holder) {
      return false;
    }
    return content.equals(this.delivery.body);
  }

  /** It came again, as a copy of ours or because its link was lost. */
  attach(receipt: Receipt): void {
    this.#receipts.push(receipt);
  }

  /** The message and its copies, as far as they are ours to settle; none while a copy is on its way. */
  get receipts(): readonly Receipt[] {
    this.#receipts = this.#receipts.filter(({ link }) => !link.over.aborted);
    return this.#receipts;
  }

  settled(receipts: readonly Receipt[]): void {
    this.#receipts = this.#receipts.filter((receipt) => !receipts.includes(receipt));
  }
}

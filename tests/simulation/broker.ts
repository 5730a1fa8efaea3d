import { ETL_QUEUES } from "../../etl/queues.js";
import type { Delivery, Outcome } from "../../lib/broker/delivery.js";
import type { Slots } from "../../lib/broker/slots.js";
import { CoreError } from "../../lib/core_errors.js";
import { type Actor, type Move, RuleBroken, type Scheduler } from "./scheduler.js";

/** A message in a queue. */
interface Letter {
  readonly id: number;
  readonly queue: string;
  readonly body: string;
  /** How often it came back without an outcome. */
  readonly returns: number;
  /** A copy that stands for one which somebody has had in hand. */
  readonly handedBack: boolean;
}

/** A message on its way from a publisher. */
interface Parcel extends Move {
  readonly sender: Actor;
  readonly store: () => void;
  readonly fail: (error: Error) => void;
}

interface Subscription {
  readonly consumer: Consumer;
  readonly unacked: Map<Letter, AbortController>;
  readonly over: AbortController;
  readonly move: Move;
}

/** A worker's side, in place of lib/broker/consumer.ts; its slots outlive its subscriptions, as there. */
export interface Consumer {
  readonly actor: Actor;
  readonly slots: Slots;
  readonly concurrency: number;
  readonly stopping: boolean;
  handle(delivery: Delivery): Promise<Outcome>;
}

/** Without a reason, each abort makes a DOMException. */
const LOST = "the link is lost";

/** A RabbitMQ in memory: durable queues, unacked messages that come again, confirms that may never arrive, in no order. */
export class Broker {
  readonly letters = new Set<Letter>();
  readonly #scheduler: Scheduler;
  readonly #subscriptions = new Set<Subscription>();
  readonly #parcels = new Set<Parcel>();
  #lastId = 0;
  up = true;
  /** What happens to the next message: its confirm does not arrive, or the message is refused (a full queue). */
  trap: "confirm lost" | "refused" | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  subscribe(consumer: Consumer): void {
    const what = `${consumer.actor.name} is given`;
    const move = { what, go: () => this.#deliver(subscription) };
    const subscription = {
      consumer,
      unacked: new Map<Letter, AbortController>(),
      over: new AbortController(),
      move,
    };
    this.#subscriptions.add(subscription);
  }

  subscribed(consumer: Consumer): boolean {
    return [...this.#subscriptions].some((subscription) => subscription.consumer === consumer);
  }

  /** Whether it has nothing in hand. */
  idle(consumer: Consumer): boolean {
    return [...this.#subscriptions].every(
      ({ consumer: other, unacked }) => other !== consumer || unacked.size === 0,
    );
  }

  /** Messages that handlers have not answered yet. */
  get inFlight(): number {
    return [...this.#subscriptions].reduce((sum, { unacked }) => sum + unacked.size, 0);
  }

  /**
   * Whether a bare `stage` is on its way. It has no identity: one that is redelivered while its first handler is still at work
   * begins a second run. That gap is known, so no fault takes a message from a worker that lives on while this is true.
   */
  get beginning(): boolean {
    const held = [...this.#subscriptions].flatMap(({ unacked }) => [...unacked.keys()]);
    return [...this.letters, ...held].some(({ body }) => body === "stage");
  }

  /** Messages that somebody is at work on, with what tells him that they have been held for long. */
  get held(): { readonly letter: Letter; readonly actor: Actor; readonly overdue: AbortController }[] {
    return [...this.#subscriptions].flatMap(({ consumer: { actor }, unacked }) =>
      [...unacked].map(([letter, overdue]) => ({ letter, actor, overdue })),
    );
  }

  /** Resolves when the broker has the message; what it rejects with is what lib/broker/publisher.ts says. */
  async publish(sender: Actor, queue: string, body: string, handedBack = false): Promise<void> {
    await this.#scheduler.turn(sender, `publish ${body}`);
    if (!this.up) {
      throw new CoreError("PUBLISH_TIMEOUT", "no connection");
    }
    const confirmed = new Promise<void>((resolve, reject) => {
      const store = () => this.put(queue, body, 0, handedBack);
      const parcel: Parcel = {
        what: `${body} from ${sender.name} arrives`,
        sender,
        store,
        fail: reject,
        go: () => {
          this.#parcels.delete(parcel);
          const { trap } = this;
          this.trap = undefined;
          if (trap !== undefined) {
            this.#scheduler.note(`  ** ${trap}`);
          }
          if (trap === "refused") {
            return reject(new CoreError("PUBLISH_NACKED", "the queue is full"));
          }
          store();
          if (trap === undefined) {
            resolve();
          } else {
            reject(new CoreError("PUBLISH_TIMEOUT", "not confirmed"));
          }
        },
      };
      this.#parcels.add(parcel);
    });
    // Who does not wait for it must not end the process.
    confirmed.catch(() => undefined);
    await confirmed;
  }

  put(queue: string, body: string, returns = 0, handedBack = false): void {
    this.#lastId += 1;
    const given = returns > ETL_QUEUES.deliveryLimit ? ETL_QUEUES.deadLetter : queue;
    this.letters.add({ id: this.#lastId, queue: given, body, returns, handedBack });
  }

  /** What the broker may do next. */
  moves(): Move[] {
    const moves: Move[] = [...this.#parcels];
    if (!this.up) {
      return moves;
    }
    if (![...this.letters].some(({ queue }) => queue === ETL_QUEUES.work)) {
      return moves;
    }
    for (const { consumer, unacked, move } of this.#subscriptions) {
      if (!consumer.stopping && unacked.size < consumer.concurrency) {
        moves.push(move);
      }
    }
    return moves;
  }

  /** A worker, or all, lose their link for consuming: what was unacked is the broker's again, and handlers go on. */
  cutConsumer(whose?: Actor): void {
    for (const subscription of this.#subscriptions) {
      const { consumer, unacked, over } = subscription;
      if (whose !== undefined && consumer.actor !== whose) {
        continue;
      }
      this.#subscriptions.delete(subscription);
      for (const letter of unacked.keys()) {
        this.#return(letter);
      }
      over.abort(LOST);
    }
  }

  /** The same for publishing, which has a link of its own: what was on its way has arrived, or not. */
  cutPublisher(whose?: Actor): void {
    for (const parcel of this.#parcels) {
      if (whose !== undefined && parcel.sender !== whose) {
        continue;
      }
      this.#parcels.delete(parcel);
      if (this.#scheduler.dice.between(0, 1) === 0) {
        parcel.store();
      }
      parcel.fail(new CoreError("PUBLISH_INTERRUPTED", "the link was lost"));
    }
  }

  crash(): void {
    this.up = false;
    this.cutConsumer();
    this.cutPublisher();
  }

  restart(): void {
    this.up = true;
  }

  #deliver(subscription: Subscription): void {
    // Any of them: order is promised by nobody.
    const letter = this.#scheduler.dice.pick(
      [...this.letters].filter(({ queue }) => queue === ETL_QUEUES.work),
    );
    this.#scheduler.note(`  ${letter.body}${letter.returns > 0 ? ", again" : ""}`);
    this.letters.delete(letter);
    const overdue = new AbortController();
    subscription.unacked.set(letter, overdue);
    const { consumer, over } = subscription;
    const delivery: Delivery = {
      body: Buffer.from(letter.body),
      headers: {},
      messageId: String(letter.id),
      attempt: 1,
      redelivered: letter.returns > 0 || letter.handedBack,
      deliveryCount: letter.returns,
      lost: over.signal,
      overdue: overdue.signal,
    };
    void consumer.slots.run(async () => {
      if (!over.signal.aborted) {
        await this.#settle(subscription, letter, delivery);
      }
    });
  }

  /**
   * As lib/broker/consumer.ts does: nothing for a message that is the broker's again, the ack last. A step that fails breaks a
   * rule, because nothing happens here but outages, which cost no attempt.
   */
  async #settle(subscription: Subscription, letter: Letter, delivery: Delivery): Promise<void> {
    const { consumer, unacked, over } = subscription;
    const outcome = await consumer.handle(delivery);
    this.#scheduler.note(`  ${consumer.actor.name} says ${outcome.kind} of ${letter.body}`);
    if (outcome.kind === "retry" || outcome.kind === "reject") {
      this.#scheduler.failure ??= new RuleBroken(`${letter.body} failed: ${outcome.code}, ${outcome.reason}`);
    }
    if (over.signal.aborted || !unacked.has(letter)) {
      return;
    }
    if (outcome.kind === "release" && !(await this.#copy(letter, consumer.actor))) {
      if (unacked.delete(letter)) {
        this.#return(letter);
      }
      return;
    }
    await this.#scheduler.turn(consumer.actor, `ack ${letter.body}`);
    if (!over.signal.aborted) {
      unacked.delete(letter);
    }
  }

  /** A handler goes on for longer than a message may be held: a copy stands for it. */
  async renew({ letter, actor }: Pick<Broker["held"][number], "letter" | "actor">): Promise<void> {
    if (!(await this.#copy(letter, actor))) {
      return;
    }
    for (const { unacked } of this.#subscriptions) {
      unacked.delete(letter);
    }
  }

  #copy({ body }: Letter, holder: Actor): Promise<boolean> {
    return this.publish(holder, ETL_QUEUES.work, body, true).then(
      () => true,
      () => false,
    );
  }

  #return({ queue, body, returns, handedBack }: Letter): void {
    this.put(queue, body, returns + 1, handedBack);
  }
}

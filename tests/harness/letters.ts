import { expect } from "vitest";
import type { AllSettings } from "../../app/settings.js";
import { HEADER } from "../../lib/broker/headers.js";
import { consumerQueue } from "../../lib/broker/topology.js";
import { newId } from "../../lib/domain/ids.js";
import { type EventContract, eventMessage } from "../../lib/messaging/event.js";
import { onChannel } from "./broker.js";
import { eventually } from "./eventually.js";
import { payments } from "./process.js";

/** A letter as `payments dlq … --json` shows it. */
export interface ShownLetter {
  readonly id: string;
  readonly code: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly forecast?: { readonly kind: string; readonly why: string };
}

/** The dead letters of a service: made by the test, looked at by command. */
export class ServiceLetters {
  readonly #settings: AllSettings;
  readonly #service: string;
  readonly #queue: string;

  /** @param service e.g. `wallet-service` @param queue e.g. `wallet.dlq` */
  constructor(settings: AllSettings, service: string, queue: string) {
    this.#settings = settings;
    this.#service = service;
    this.#queue = queue;
  }

  /**
   * Puts an event among the dead letters, as if its consumer had failed.
   *
   * @param messageId of a message that came before; default: a new one
   * @returns its id
   */
  async bury<Body>(event: EventContract<Body>, body: Body, messageId: string = newId()): Promise<string> {
    const message = eventMessage(event, body, { messageId });
    await this.put(message.body, { ...message.properties, messageId }, event.name);
    return messageId;
  }

  /** Puts anything among the dead letters. @param event whose consumer failed; without one nothing tells */
  async put(
    body: Buffer,
    properties: { messageId: string; type?: string; headers?: object },
    event?: string,
  ) {
    const failed = {
      [HEADER.errorCode]: "INTERNAL",
      [HEADER.reason]: "buried by a test",
      [HEADER.attempts]: 4,
      ...(event === undefined ? {} : { [HEADER.queue]: consumerQueue(this.#service, event) }),
    };
    await onChannel(this.#settings, async (channel) => {
      const before = (await channel.checkQueue(this.#queue)).messageCount;
      const headers = { ...properties.headers, ...failed };
      channel.sendToQueue(this.#queue, body, { ...properties, persistent: true, headers });
      await eventually("buried", async () => (await channel.checkQueue(this.#queue)).messageCount > before);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
  async dlq(...args: string[]): Promise<any> {
    const command = ["dlq", ...args, "--queue", this.#queue, "--json"];
    const { code, stdout, stderr } = await payments(this.#settings, ...command);
    expect([code, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout);
  }

  /** Resolves when there are so many, seen without a command. */
  async gather(count: number, { withinMs = 15_000 } = {}): Promise<void> {
    const there = () =>
      onChannel(this.#settings, async (channel) => (await channel.checkQueue(this.#queue)).messageCount);
    await eventually(`${count} letters`, async () => (await there()) === count, { withinMs });
  }

  async list(): Promise<readonly ShownLetter[]> {
    return (await this.dlq("list")).letters;
  }

  /** What a replay of all of them would come to, by id; of copies the forecasts of all. */
  async forecasts(): Promise<Record<string, string[]>> {
    const { letters } = (await this.dlq("replay", "--all", "--dry-run")) as { letters: ShownLetter[] };
    const byId: Record<string, string[]> = {};
    for (const { id, forecast } of letters) {
      byId[id] = [...(byId[id] ?? []), `${forecast?.kind}: ${forecast?.why}`];
    }
    return byId;
  }
}

/** What a stream of server-sent events brings: an event, or a comment, which is a heartbeat. */
export type Arrival = { readonly kind: "comment" } | StreamEvent;

export interface StreamEvent {
  readonly kind: "event";
  readonly name: string;
  /** The last id that the stream gave, which a reconnection tells the server. */
  readonly id: string;
  readonly data: string;
}

/**
 * Reads text/event-stream as it arrives, in pieces of any size. The browser's EventSource hides comments and the statuses of
 * refusals, so a silent stream looks like a quiet one there.
 */
export class EventReader {
  #rest = "";
  #name = "";
  #data: string[] = [];
  #id = "";

  /** @returns what the piece completes, in order */
  read(piece: string): Arrival[] {
    // A carriage return at the end may be half of a line's end.
    const text = this.#rest + piece;
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? "") + text.slice(whole.length);
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): Arrival | undefined {
    if (line === "") {
      return this.#dispatch();
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      return { kind: "comment" };
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") {
      this.#name = value;
    } else if (field === "data") {
      this.#data.push(value);
    } else if (field === "id" && !value.includes("\0")) {
      this.#id = value;
    }
    return undefined;
  }

  #dispatch(): StreamEvent | undefined {
    const [name, data] = [this.#name || "message", this.#data];
    this.#name = "";
    this.#data = [];
    return data.length === 0 ? undefined : { kind: "event", name, id: this.#id, data: data.join("\n") };
  }
}

import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakePayout {
  readonly id: string;
  readonly object: "payout";
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  readonly metadata: Record<string, string>;
  readonly failure_code: string | null;
  status: string;
}

/** What is answered to a request to pay; `cut`: nothing, the connection ends; `silent`: nothing. */
type Reply = "cut" | "silent" | { readonly status: number; readonly body: unknown };

/** A request to pay. */
export interface Asked {
  readonly key: string;
  readonly idPago: string;
  readonly amount: number;
  /** How often this key has come, this time included. */
  readonly times: number;
  /** Pays, once a key. */
  readonly pay: () => FakePayout;
}

export const WEBHOOK_SECRET = "whsec_test";

/** A gateway that does what a test says: slow, lying, silent. Its truth is `payouts`. */
export class FakeGateway {
  readonly payouts = new Map<string, FakePayout>();
  /** Requests to pay, as they came. */
  readonly asked: Pick<Asked, "key" | "idPago">[] = [];
  /** Requests other than to pay. */
  readonly questions: string[] = [];
  onPay: (asked: Asked) => Reply | Promise<Reply> = ({ pay }) => ({ status: 200, body: pay() });
  /** What each question is answered; undefined: the truth. */
  onAsk: ((path: string) => Reply | undefined) | undefined;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const work =
        request.method === "POST" ? this.#pay(request, Buffer.concat(chunks)) : this.#tell(request.url ?? "");
      void Promise.resolve(work).then((reply) => respond(response, reply));
    });
  });

  static async start(): Promise<FakeGateway> {
    const gateway = new FakeGateway();
    gateway.#server.listen(0, "127.0.0.1");
    await once(gateway.#server, "listening");
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How often it was sent a Pago. */
  askedFor(idPago: string): number {
    return this.asked.filter((each) => each.idPago === idPago).length;
  }

  /** Of a Pago; more than one is what must not be. */
  of(idPago: string): FakePayout[] {
    return [...this.payouts.values()].filter(({ metadata }) => metadata["id_pago"] === idPago);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #pay({ headers }: { headers: Record<string, string | string[] | undefined> }, body: Buffer) {
    const form = new URLSearchParams(body.toString());
    const key = String(headers["idempotency-key"]);
    const idPago = form.get("metadata[id_pago]") ?? "";
    this.asked.push({ key, idPago });
    const known = this.payouts.get(key)?.metadata["id_pago"];
    if (known !== undefined && known !== idPago) {
      return { status: 400, body: { error: { type: "idempotency_error" } } };
    }
    const amount = Number(form.get("amount"));
    const pay = (): FakePayout => {
      const made = this.payouts.get(key) ?? {
        id: `po_${randomBytes(8).toString("hex")}`,
        object: "payout" as const,
        amount,
        currency: form.get("currency") ?? "",
        created: Math.floor(Date.now() / 1_000),
        metadata: { id_pago: idPago, clave: form.get("metadata[clave]") ?? "" },
        failure_code: null,
        status: "pending",
      };
      this.payouts.set(key, made);
      return made;
    };
    return this.onPay({
      key,
      idPago,
      amount,
      pay,
      times: this.asked.filter((each) => each.key === key).length,
    });
  }

  #tell(url: string): Reply {
    this.questions.push(url);
    const own = this.onAsk?.(url);
    if (own !== undefined) {
      return own;
    }
    const id = /^\/v1\/payouts\/(\w+)/.exec(url)?.[1];
    const all = [...this.payouts.values()].reverse();
    if (id === undefined) {
      return { status: 200, body: { object: "list", data: all, has_more: false, url: "/v1/payouts" } };
    }
    const found = all.find((each) => each.id === id);
    return found === undefined
      ? { status: 404, body: { error: { type: "invalid_request_error", code: "resource_missing" } } }
      : { status: 200, body: found };
  }
}

function respond(response: ServerResponse, reply: Reply): void {
  if (reply === "silent") {
    return;
  }
  if (reply === "cut") {
    response.destroy();
    return;
  }
  const replayed = (reply.body as { replayed?: boolean }).replayed === true;
  response.writeHead(reply.status, {
    "content-type": "application/json",
    ...(replayed ? { "idempotent-replayed": "true" } : {}),
  });
  response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
}

/** A webhook about a payout, and its signature. */
export function webhook(
  payout: Pick<FakePayout, "id"> & Partial<FakePayout>,
  {
    type = `payout.${payout.status}`,
    id = `evt_${payout.id}_${type}`,
    secret = WEBHOOK_SECRET,
    atS = Math.floor(Date.now() / 1_000),
  }: { type?: string; id?: string; secret?: string; atS?: number } = {},
): { readonly body: string; readonly headers: Record<string, string> } {
  const body = JSON.stringify({ id, object: "event", type, created: atS, data: { object: payout } });
  const v1 = createHmac("sha256", secret).update(`${atS}.${body}`).digest("hex");
  return { body, headers: { "stripe-signature": `t=${atS},v1=${v1}` } };
}

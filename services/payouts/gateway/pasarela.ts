/** What the gateway is told of a Pago. Nothing of the afiliado. */
export interface Envio {
  readonly idPago: string;
  /** In minor units. */
  readonly monto: bigint;
  readonly moneda: string;
  /** Under which the gateway pays once, however often it is sent. */
  readonly gatewayKey: string;
}

/** What the gateway has of a Pago. */
export interface GatewayPayout {
  readonly gatewayId: string;
  /** `open`: it has taken it, and a bank will say. */
  readonly status: "open" | "paid" | "failed";
  readonly monto: bigint;
  readonly moneda: string;
  /** Why it failed. */
  readonly motivo: string;
}

export type Answer =
  | { readonly kind: "taken"; readonly payout: GatewayPayout }
  /** Nothing was made of it, nor will be. */
  | { readonly kind: "refused"; readonly motivo: string }
  /** It was not looked at: too many at once, a wrong key, nobody there. Send it later. */
  | { readonly kind: "later"; readonly why: string }
  /**
   * Nobody knows: it may have been paid. Ask. `ended`: the gateway says that it will make no more of the key, and not what it has
   * made.
   */
  | { readonly kind: "unknown"; readonly ended: boolean; readonly why: string };

/** What the gateway says when it is asked about a Pago. */
export type Said =
  | { readonly kind: "has"; readonly payout: GatewayPayout }
  | { readonly kind: "has nothing" }
  /** It did not say, or what it says of the Pago makes no sense. Ask again. */
  | { readonly kind: "unknown"; readonly why: string };

/** What is asked about: by the gateway's own name where it is known, else by ours among what was made since. */
export interface Pregunta {
  readonly idPago: string;
  readonly gatewayId: string | null;
  readonly gatewayKey: string;
  /** Before anything was sent under its key. */
  readonly since: Date;
}

/** What a webhook tells of a Pago. */
export interface Notice {
  readonly id: string;
  /** E.g. `payout.paid`. */
  readonly type: string;
  readonly idPago: string;
  readonly payout: GatewayPayout;
}

/** Whoever pays out for us. */
export interface PasarelaDePagos {
  /** Milliseconds until it may be called: more than 0 while its circuit is open. */
  readonly waitMs: number;
  /** Whether the next call is the one that tries whether it is back. */
  readonly probes: boolean;
  /** Never throws. */
  send(envio: Envio): Promise<Answer>;
  /** What it has of each, in their order. Never throws: one that it cannot answer keeps no other one waiting. */
  ask(preguntas: readonly Pregunta[]): Promise<readonly Said[]>;
  /**
   * Reads a webhook. Undefined: it is about nothing of ours.
   *
   * @param bytes as they came
   * @throws PayoutsError WEBHOOK_SIGNATURE_INVALID
   */
  read(bytes: Buffer, signature: string | undefined): Promise<Notice | undefined>;
}

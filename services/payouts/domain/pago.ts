import type { Dinero } from "./dinero.js";

export type Estado = "PENDIENTE" | "PROCESANDO" | "EXITOSO" | "FALLIDO";

/** What somebody wants to be paid; never changes. */
export interface Orden extends Dinero {
  readonly idPago: string;
  readonly idAfiliado: string;
  /** The asker's name for it; null after the afiliado was erased. */
  readonly referenciaPago: string | null;
  /** 32 hex digits. */
  readonly traceId: string;
  readonly createdAt: Date;
}

export interface Pago extends Orden {
  readonly estado: Estado;
  /** Why it is FALLIDO, in the gateway's words. */
  readonly motivo: string | null;
  /** The gateway's name for it, as far as it is known. */
  readonly gatewayId: string | null;
  /** When and why the bank sent it back; it stays EXITOSO. */
  readonly devuelto: { readonly motivo: string; readonly at: Date } | null;
  readonly updatedAt: Date;
}

/** From 1, one more with each change; so it follows from the state. */
export const VERSION: Readonly<Record<Estado, number>> = {
  PENDIENTE: 1,
  PROCESANDO: 2,
  EXITOSO: 3,
  FALLIDO: 3,
};
export const RETURNED_VERSION = 4;

const LONGEST_MOTIVO = 200;

/** A reason as it is kept: what a gateway says may be of any length, and PostgreSQL takes no NUL. */
export const motivoOf = (text: string | null | undefined, otherwise: string): string =>
  text?.replaceAll("\0", "").trim().slice(0, LONGEST_MOTIVO) || otherwise;

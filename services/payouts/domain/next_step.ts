/** How it stands with a Pago that a dispatcher takes in hand. */
export interface Sending {
  readonly gatewayId: string | null;
  /** The gateway will make no more of its key. */
  readonly ended: boolean;
  readonly createdAt: Date;
  /** 1: nobody has taken it before. */
  readonly takes: number;
}

/** Gateways keep keys for a day at least. Counted from a Pago's beginning: after a restore nobody knows when it was first sent. */
const KEY_KEPT_MS = 20 * 3_600_000;

/** While the gateway knows its key, to send a Pago again asks and pays at once, and pays once. Else somebody has to ask first. */
export function asksFirst({ gatewayId, ended, createdAt }: Sending, now: Date): boolean {
  return gatewayId !== null || ended || now.getTime() - createdAt.getTime() > KEY_KEPT_MS;
}

/** What is to be done about a Pago that the gateway was asked about and does not have. */
export function withoutTrace({ gatewayId, ended }: Sending): "send" | "fail" | "wait" {
  if (gatewayId !== null) {
    return "wait"; // It had it.
  }
  return ended ? "fail" : "send";
}

const RETRY_S = { first: 2, most: 600 };
const ASK_MOST_S = 6 * 3_600;

/** Until it is sent again, in seconds: twice the time each time. */
export const retryAfterS = ({ takes }: Pick<Sending, "takes">): number =>
  Math.min(RETRY_S.most, RETRY_S.first * 2 ** (takes - 1));

/** Until the gateway is asked about what it has taken. */
export const askAgainAfterS = ({ takes }: Pick<Sending, "takes">, askAfterS: number): number =>
  Math.min(Math.max(ASK_MOST_S, askAfterS), askAfterS * 2 ** (takes - 1));

/** How it stands with a Pago that a dispatcher takes in hand. */
export interface Sending {
  readonly gatewayId: string | null;
  /** The gateway will make no more of its key. */
  readonly ended: boolean;
  readonly createdAt: Date;
  /** Before it was sent for the first time. */
  readonly sentAt: Date;
  /** 1: nobody has taken it before, or not since it ended. */
  readonly takes: number;
}

/** Gateways keep keys for a day at least; most of them forget them then. */
const KEY_FORGOTTEN_MS = 24 * 3_600_000;
/** Counted from a Pago's beginning: after a restore nobody knows when it was first sent. */
const KEY_KEPT_MS = 20 * 3_600_000;

/** While the gateway knows its key, to send a Pago again asks and pays at once, and pays once. Else somebody has to ask first. */
export function asksFirst({ gatewayId, ended, createdAt }: Sending, now: Date): boolean {
  return gatewayId !== null || ended || now.getTime() - createdAt.getTime() > KEY_KEPT_MS;
}

/**
 * Since when the gateway may have made something of it. A restore may have taken away a Pago of the same reference and key: what was
 * made of that one within the time of keys is to be found, too. Under a key that has ended nothing else was made.
 */
export const askedSince = ({
  ended,
  createdAt,
  sentAt,
}: Pick<Sending, "ended" | "createdAt" | "sentAt">): Date =>
  ended ? sentAt : new Date(createdAt.getTime() - KEY_FORGOTTEN_MS);

const ENDED_ASK_S = 5;

/** Until the gateway is asked about a Pago that has ended, in seconds: twice the time each time. @param asked so often already */
export const endedAskAfterS = (asked: number): number => ENDED_ASK_S * 2 ** asked;

/**
 * What is to be done about a Pago that the gateway was asked about and does not have. What a gateway made in spite of its error it
 * may list late, and FALLIDO is for good: so it is asked for `giveUpS` seconds before.
 */
export function withoutTrace(
  { gatewayId, ended, takes }: Pick<Sending, "gatewayId" | "ended" | "takes">,
  giveUpS: number,
): "send" | "fail" | "ask again" | "lost" {
  if (gatewayId !== null) {
    return "lost"; // It had it.
  }
  if (!ended) {
    return "send";
  }
  const askedForS = ENDED_ASK_S * (2 ** takes - 1);
  return askedForS >= giveUpS ? "fail" : "ask again";
}

const RETRY_S = { first: 2, most: 600 };
const ASK_MOST_S = 6 * 3_600;

/** Until it is sent again, in seconds: twice the time each time. */
export const retryAfterS = ({ takes }: Pick<Sending, "takes">): number =>
  Math.min(RETRY_S.most, RETRY_S.first * 2 ** (takes - 1));

/** Until the gateway is asked about what it has taken. */
export const askAgainAfterS = ({ takes }: Pick<Sending, "takes">, askAfterS: number): number =>
  Math.min(Math.max(ASK_MOST_S, askAfterS), askAfterS * 2 ** (takes - 1));

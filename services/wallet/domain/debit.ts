import { derivedId } from "../../../lib/domain/ids.js";
import { parseAmount } from "../../../lib/domain/money.js";

/** What a payment asks of a wallet. */
export interface DebitRequest {
  readonly paymentId: string;
  readonly userId: string;
  /** Decimal text. */
  readonly amount: string;
  /** Without one the user's only wallet is meant. */
  readonly currency: string | undefined;
}

/** An open wallet of a customer; its balance in minor units. */
export interface Wallet {
  readonly walletId: string;
  readonly userId: string;
  readonly currency: string;
  readonly balance: bigint;
}

export type Outcome = "approved" | "declined" | "cancelled";
export type Reason = "success" | "insufficient_funds" | "unknown_wallet" | "cancelled";

/** What was decided about a payment, once and for all. */
export interface Decision {
  readonly paymentId: string;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly userId: string;
  readonly walletId: string | null;
  /** In minor units; null where no wallet told which currency it is of. */
  readonly amount: bigint | null;
  readonly currency: string | null;
}

/** Where the money of payments in a currency lies. */
export const clearingId = idOfCurrency("wallet.clearing");
/** Where money from outside comes from, and goes to. */
export const fundingId = idOfCurrency("wallet.funding");

/** Each debit asks for one, and there are 165 currencies. */
function idOfCurrency(purpose: string): (currency: string) => string {
  const known = new Map<string, string>();
  return (currency) => {
    const id = known.get(currency) ?? derivedId(currency, purpose);
    known.set(currency, id);
    return id;
  };
}

/**
 * Decides about debits in their order, each on what those before it left.
 *
 * @param wallets the open ones of the requests' users, as they stand under lock
 * @returns a decision a request; an error in its place where the amount is none of its currency
 */
export function decideDebits(
  requests: readonly DebitRequest[],
  wallets: readonly Wallet[],
): readonly (Decision | Error)[] {
  const find = finder(wallets);
  const left = new Map(wallets.map(({ walletId, balance }) => [walletId, balance]));
  return requests.map((request) => {
    try {
      return decide(request, find(request), left);
    } catch (error) {
      return error as Error;
    }
  });
}

/** @param left what the wallets hold; less after an approval */
function decide(request: DebitRequest, wallet: Wallet | undefined, left: Map<string, bigint>): Decision {
  const { paymentId, userId } = request;
  const currency = wallet?.currency ?? request.currency ?? null;
  const amount = currency === null ? null : parseAmount(request.amount, currency);
  const of = { paymentId, userId, walletId: wallet?.walletId ?? null, amount, currency };
  if (wallet === undefined || amount === null) {
    return { ...of, outcome: "declined", reason: "unknown_wallet" };
  }
  const balance = (left.get(wallet.walletId) as bigint) - amount;
  if (balance < 0n) {
    return { ...of, outcome: "declined", reason: "insufficient_funds" };
  }
  left.set(wallet.walletId, balance);
  return { ...of, outcome: "approved", reason: "success" };
}

/** The wallet that a request means: of its currency, else its user's only one. */
function finder(wallets: readonly Wallet[]): (request: DebitRequest) => Wallet | undefined {
  const byCurrency = new Map(wallets.map((wallet) => [`${wallet.currency} ${wallet.userId}`, wallet]));
  const only = new Map<string, Wallet | undefined>();
  for (const wallet of wallets) {
    only.set(wallet.userId, only.has(wallet.userId) ? undefined : wallet);
  }
  return ({ userId, currency }) =>
    currency === undefined ? only.get(userId) : byCurrency.get(`${currency} ${userId}`);
}

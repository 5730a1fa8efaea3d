import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DebitRequest, decideDebits, type Wallet } from "./debit.js";

const wallet = (userId: string, currency: string, balance: bigint): Wallet => ({
  walletId: `${userId}-${currency}`,
  userId,
  currency,
  balance,
});
const request = (userId: string, amount: string, currency?: string): DebitRequest => ({
  paymentId: `p-${userId}-${amount}`,
  userId,
  amount,
  currency,
});
const reasons = (requests: readonly DebitRequest[], wallets: readonly Wallet[]) =>
  decideDebits(requests, wallets).map((each) => (each instanceof Error ? "refused" : each.reason));

describe("decideDebits", () => {
  it("takes from the wallet of the currency; without one from the user's only wallet", () => {
    const wallets = [wallet("a", "USD", 500n), wallet("b", "USD", 500n), wallet("b", "EUR", 500n)];
    const asked = [
      request("a", "1"),
      request("a", "1", "EUR"),
      request("b", "1"),
      request("b", "1", "EUR"),
      request("c", "1"),
    ];
    expect(reasons(asked, wallets)).toEqual([
      "success",
      "unknown_wallet",
      "unknown_wallet",
      "success",
      "unknown_wallet",
    ]);
  });

  it("refuses an amount that its currency does not have, and no other for it", () => {
    const wallets = [wallet("a", "JPY", 500n)];
    expect(
      reasons(
        [request("a", "1.5"), request("a", "2"), request("a", "0"), request("a", "-1"), request("a", "1e2")],
        wallets,
      ),
    ).toEqual(["refused", "success", "refused", "refused", "refused"]);
  });

  it("never takes more than there is, and declines only what there is not", () => {
    const users = fc.constantFrom("a", "b", "c");
    const asked = fc.array(fc.record({ user: users, minor: fc.bigInt({ min: 1n, max: 300n }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(asked, fc.bigInt({ min: 0n, max: 2_000n }), (list, balance) => {
        const wallets = [wallet("a", "JPY", balance), wallet("b", "JPY", balance / 2n)];
        const left = new Map(wallets.map(({ userId, balance: held }) => [userId, held]));
        const decisions = decideDebits(
          list.map(({ user, minor }) => request(user, String(minor), "JPY")),
          wallets,
        );
        for (const [i, decision] of decisions.entries()) {
          const { user, minor } = list[i] as { user: string; minor: bigint };
          const held = left.get(user);
          const fits = held !== undefined && held >= minor;
          expect(decision).toMatchObject({ outcome: fits ? "approved" : "declined", amount: minor });
          if (fits) {
            left.set(user, held - minor);
          }
        }
      }),
    );
  });
});

import type { Route } from "../../../lib/http/route.js";
import type { Service } from "../../../lib/runtime/service_process.js";
import { closeWallet } from "./close_wallet.js";
import { getWallet } from "./get_wallet.js";
import { listMovements } from "./list_movements.js";
import { listWallets } from "./list_wallets.js";
import { creditWallet, debitWallet } from "./move_money.js";
import { openWallet } from "./open_wallet.js";
import { refundPayment } from "./refund_payment.js";

export const walletRoutes = ({
  pool,
  reads,
  outbox,
}: Pick<Service, "pool" | "reads" | "outbox">): readonly Route[] => [
  openWallet(pool),
  listWallets(pool),
  getWallet(pool),
  closeWallet(pool),
  creditWallet(pool),
  debitWallet(pool),
  listMovements(pool, reads),
  refundPayment(pool, outbox),
];

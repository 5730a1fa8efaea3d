import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";

const schema = z.object({
  WALLET_CONNECTIONS: whole(1, 100)
    .default(4)
    .describe("Connections of wallet-service to PostgreSQL for HTTP; events have three of their own"),
});

export interface WalletSettings extends z.infer<typeof schema> {}

export const walletSettings: SettingsDeclaration<WalletSettings> = { schema, prefixes: ["WALLET_"] };

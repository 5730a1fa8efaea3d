import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../lib/settings/define.js";

const schema = z.object({
  WALLET_CONNECTIONS: whole(4, 100)
    .default(6)
    .describe(
      "Connections of wallet-service to PostgreSQL: one for each event that it takes, the rest for HTTP",
    ),
});

export interface WalletSettings extends z.infer<typeof schema> {}

export const walletSettings: SettingsDeclaration<WalletSettings> = { schema, prefixes: ["WALLET_"] };

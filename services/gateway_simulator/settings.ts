import { z } from "zod";
import {
  path,
  port,
  rate,
  type SettingsDeclaration,
  secret,
  text,
  whole,
} from "../../lib/settings/define.js";

const schema = z.object({
  SIMULATOR_HOST: text.default("127.0.0.1").describe("Where gateway-simulator listens"),
  SIMULATOR_PORT: port.default(8_089).describe("Its port"),
  SIMULATOR_BOOK_PATH: path(".local/gateway_book.ndjson").describe("File with all that it has paid"),
  SIMULATOR_SEED: whole(0, 2 ** 31)
    .default(1)
    .describe("What goes wrong follows from it, and from each payout's key"),
  SIMULATOR_LATENCY_MS: whole(0, 60_000).default(20).describe("How long it takes to answer, on average"),
  SIMULATOR_SETTLE_MS: whole(0, 86_400_000)
    .default(300)
    .describe("How long its banks take for a payout, on average"),
  SIMULATOR_FAILURE_RATE: rate
    .default(0.1)
    .describe("Share of requests that go wrong: refused, late, lost, or done and not answered"),
  SIMULATOR_RETURN_RATE: rate.default(0.01).describe("Share of payouts that come back after they were paid"),
  SIMULATOR_REPEAT_RATE: rate
    .default(0.1)
    .describe("Share of webhooks that are sent twice; as many come late"),
  SIMULATOR_WEBHOOK_URL: z
    .string()
    .default("")
    .describe("Where it tells what became of payouts, e.g. http://127.0.0.1:8080/pagos/webhooks/stripe"),
  SIMULATOR_WEBHOOK_SECRET: secret.describe("Signs its webhooks; as STRIPE_WEBHOOK_SECRET"),
});

export interface SimulatorSettings extends z.infer<typeof schema> {}

export const simulatorSettings: SettingsDeclaration<SimulatorSettings> = { schema, prefixes: ["SIMULATOR_"] };

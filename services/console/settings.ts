import { z } from "zod";
import { type SettingsDeclaration, secret, whole } from "../../lib/settings/define.js";

const schema = z.object({
  CONSOLE_PASSWORD: secret.describe(
    "What operators sign in to the console with; required, with 12 characters or more, when HTTP_HOST is not loopback, HTTP_ALLOWED_HOSTS names others, HTTP_TRUSTED_PROXIES or HTTP_API_KEYS is set. Without one everybody is an operator",
  ),
  CONSOLE_VIEWER_PASSWORD: secret.describe("What those sign in with who may look and not act; empty: nobody"),
  CONSOLE_SESSION_S: whole(60, 2_592_000)
    .default(43_200)
    .describe("After so many seconds whoever signed in to the console signs in again"),
  CONSOLE_CONNECTIONS: whole(2, 100).default(3).describe("Connections of the console to PostgreSQL"),
  CONSOLE_POLL_MS: whole(100, 600_000)
    .default(2_000)
    .describe("How often the console asks how it stands, while somebody looks; for all of them at once"),
  CONSOLE_STREAMS: whole(1, 10_000)
    .default(250)
    .describe("Pages of the console that may follow at a time; each counts to HTTP_MAX_IN_FLIGHT"),
});

export interface ConsoleSettings extends z.infer<typeof schema> {}

export const consoleSettings: SettingsDeclaration<ConsoleSettings> = { schema, prefixes: ["CONSOLE_"] };

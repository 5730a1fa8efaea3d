import { z } from "zod";
import { type SettingsDeclaration, whole } from "../../../lib/settings/define.js";

const schema = z.object({
  DESK_CONCURRENCY: whole(1, 64).default(2).describe("Tickets entered at a time"),
});

export const deskSettings: SettingsDeclaration<z.infer<typeof schema>> = { schema, prefixes: ["DESK_"] };

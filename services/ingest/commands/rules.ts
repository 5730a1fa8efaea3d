import { Command } from "commander";
import type { ActionWrapper } from "../../../lib/cli/command.js";
import type { Settings } from "../../../lib/settings/base.js";
import type { IngestSettings } from "../settings.js";
import { applyCommand } from "./apply.js";
import { decideCommand, pendingCommand } from "./mappings.js";
import { listCommand, showCommand } from "./rules_list.js";
import { testCommand } from "./rules_test.js";
import { tryCommand } from "./rules_try.js";

export const rulesCommand = (action: ActionWrapper<Settings & IngestSettings>): Command =>
  new Command("rules")
    .description("what providers' events are understood by")
    .addCommand(listCommand(action))
    .addCommand(showCommand(action))
    .addCommand(tryCommand(action))
    .addCommand(testCommand(action))
    .addCommand(pendingCommand(action))
    .addCommand(decideCommand(action, "accept"))
    .addCommand(decideCommand(action, "reject"))
    .addCommand(applyCommand(action));

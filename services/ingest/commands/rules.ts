import { Command } from "commander";
import type { ActionWrapper } from "../../../lib/cli/command.js";
import { applyCommand } from "./apply.js";

export const rulesCommand = (action: ActionWrapper): Command =>
  new Command("rules")
    .description("what providers' events are understood by")
    .addCommand(applyCommand(action));

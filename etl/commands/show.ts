import { type CommandContext, print, printJson } from "../../lib/cli/command.js";

/** What a command has to say, for a program or for a person. @returns an exit status of 0. */
export function show(context: CommandContext, data: object, text: string): undefined {
  if (context.json) {
    printJson(data);
  } else {
    print(text);
  }
}

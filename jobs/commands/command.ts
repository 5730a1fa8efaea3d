import type { ActionWrapper, CommandContext } from "../../lib/cli/command.js";
import type { BackupSettings } from "../settings.js";

export type BackupAction = ActionWrapper<BackupSettings>;
export type BackupContext = CommandContext<BackupSettings>;

export const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

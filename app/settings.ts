import type { EtlSettings } from "../etl/settings.js";
import type { BackupSettings } from "../jobs/settings.js";
import { loadSettings, type SettingsSources } from "../lib/settings/settings.js";
import type { CampaignsSettings } from "../services/campaigns/settings.js";
import type { CollectorSettings } from "../services/collector/settings.js";
import type { ConsoleSettings } from "../services/console/settings.js";
import type { FraudSettings } from "../services/fraud/settings.js";
import type { SimulatorSettings } from "../services/gateway_simulator/settings.js";
import type { IngestSettings } from "../services/ingest/settings.js";
import type { MonitorSettings } from "../services/monitor/settings.js";
import type { MonitorQueueSettings } from "../services/monitor_queue/settings.js";
import type { PaymentsSettings } from "../services/payments/settings.js";
import type { PayoutsSettings } from "../services/payouts/settings.js";
import type { ReporterSettings } from "../services/reporter/settings.js";
import type { ReportsSettings } from "../services/reports/settings.js";
import type { WalletSettings } from "../services/wallet/settings.js";
import type { TrafficSettings } from "../traffic/settings.js";
import { type AuditSettings, declarationsOf, type StackSettings } from "./declarations.js";
import { MODULES } from "./modules.js";

export const DECLARATIONS = declarationsOf(MODULES);

/** For what looks across modules: the bench, tests. */
export interface AllSettings
  extends EtlSettings,
    BackupSettings,
    AuditSettings,
    StackSettings,
    PaymentsSettings,
    FraudSettings,
    WalletSettings,
    PayoutsSettings,
    SimulatorSettings,
    CampaignsSettings,
    ReportsSettings,
    CollectorSettings,
    MonitorSettings,
    MonitorQueueSettings,
    ReporterSettings,
    IngestSettings,
    ConsoleSettings,
    TrafficSettings {}

/** @throws CoreError SETTINGS_INVALID */
export function loadAllSettings(sources: SettingsSources = {}): AllSettings {
  return loadSettings(DECLARATIONS, sources) as unknown as AllSettings;
}

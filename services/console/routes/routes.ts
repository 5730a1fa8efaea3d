import type { Route } from "../../../lib/http/route.js";
import type { ConsolePage } from "../page.js";
import { getAction, getActions } from "./actions.js";
import { getBackups } from "./backups.js";
import { getCampaign, getCampaigns } from "./campaigns.js";
import { getMonths, getRollups } from "./data.js";
import { getEvent, getEvents } from "./events.js";
import { acceptMapping, getMappings, getRules, rejectMapping } from "./mappings.js";
import { getHistory, getOverview, getStream } from "./overview.js";
import { getPage } from "./page.js";
import { getPago, getPagos } from "./pagos.js";
import { getPayment, getPayments } from "./payments.js";
import { getProfile } from "./profile.js";
import {
  abandonLetters,
  getLetter,
  getLetters,
  getQueues,
  letterLooks,
  previewLetters,
  replayLetters,
} from "./queues.js";
import { getReports, postSwitch } from "./reports.js";
import type { Resources } from "./resources.js";
import { cancelRun, getRun, getRuns, healMonth, previewRun, resumeRun, startRun, verifyRun } from "./runs.js";
import { deleteSession, getMe, postSession } from "./session.js";
import { getMovements, getWallet, getWallets } from "./wallets.js";
import { getWindow, getWindows } from "./windows.js";

const ALL = [
  ...[getMe, postSession, deleteSession],
  ...[getOverview, getHistory, getStream],
  ...[getRuns, getRun, previewRun, startRun, resumeRun, cancelRun, verifyRun, healMonth],
  ...[getMonths, getRollups, getProfile],
  ...[getPayments, getPayment],
  ...[getWallets, getWallet, getMovements],
  ...[getPagos, getPago],
  ...[getCampaigns, getCampaign],
  ...[getReports, postSwitch],
  ...[getEvents, getEvent, getRules, getMappings, acceptMapping, rejectMapping],
  ...[getWindows, getWindow],
  ...[getQueues, previewLetters],
  ...[getBackups, getActions, getAction],
];
const OF_LETTERS = [getLetters, getLetter, replayLetters, abandonLetters];

export function consoleRoutes(resources: Resources & { readonly page: ConsolePage }): readonly Route[] {
  const looks = letterLooks();
  return [
    ...ALL.map((make) => make(resources)),
    ...OF_LETTERS.map((make) => make(resources, looks)),
    ...getPage(resources),
  ];
}

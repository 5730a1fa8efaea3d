import { batch, signal } from "@preact/signals";
import type { Overview, OverviewHistory, Point } from "../../../services/console/contracts/overview.js";
import { get } from "../lib/api.js";
import type { StreamEvent } from "../lib/event_stream.js";
import { type Liveness, LiveStream } from "../lib/live_stream.js";
import { refreshAll } from "./answer.js";
import { loadMe } from "./session.js";

/** What the server told last of everything that moves; undefined: nothing yet. */
export const overview = signal<Overview | undefined>(undefined);
export const liveness = signal<Liveness>("connecting");
/** A point for each look of the server, oldest first. */
export const history = signal<readonly Point[]>([]);
/** Two hours at a look every 2 s. */
const MAX_POINTS = 3_600;

const stream = new LiveStream({
  url: "/console/stream",
  onEvent: hear,
  onState: (state) => {
    liveness.value = state;
  },
  onRefused: (status) => {
    if (status === 401) {
      void loadMe();
    }
  },
});
/** What the reader wants; a hidden tab is silent too, as browsers open six connections to a server and no more. */
let wanted = false;

export function goLive(): void {
  wanted = true;
  void loadHistory();
  follow();
}

export function pauseLive(): void {
  wanted = false;
  stream.pause();
}

function follow(): void {
  if (wanted && !document.hidden) {
    stream.start();
  } else {
    stream.pause();
  }
}
document.addEventListener("visibilitychange", () => wanted && follow());

function hear({ name, data }: StreamEvent): void {
  if (name === "overview") {
    take(JSON.parse(data) as Overview);
  } else if (name === "resync") {
    void get<Overview>("overview").then(take, () => undefined);
    void loadHistory();
    refreshAll();
  }
}

function take(news: Overview): void {
  batch(() => {
    overview.value = news;
    const last = history.value.at(-1);
    if (last === undefined || last.at < news.point.at) {
      history.value = [...history.value.slice(1 - MAX_POINTS), news.point];
    }
  });
}

/** The chart's part before the page was opened; without it the chart begins now. */
async function loadHistory(): Promise<void> {
  const { points } = await get<OverviewHistory>("overview/history").catch(() => ({
    points: [],
  }));
  const last = points.at(-1)?.at ?? "";
  history.value = [...points, ...history.value.filter(({ at }) => at > last)].slice(-MAX_POINTS);
}

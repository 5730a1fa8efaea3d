import { batch, signal } from "@preact/signals";
import type { Overview, OverviewHistory, Point } from "../../../services/console/contracts/overview.js";
import { get } from "../lib/api.js";
import type { StreamEvent } from "../lib/event_stream.js";
import { type Liveness, LiveStream } from "../lib/live_stream.js";
import type { ApiError } from "../lib/problem.js";
import { refreshAll } from "./answer.js";
import { loadMe } from "./session.js";

/** What the server told last of everything that moves; undefined: nothing yet. */
export const overview = signal<Overview | undefined>(undefined);
export const liveness = signal<Liveness>("connecting");
/** Why the stream is refused: too many pages are open. Each time that it is tried again the page asks once instead. */
export const refusal = signal<ApiError | undefined>(undefined);
/** A point for each look of the server, oldest first. */
export const history = signal<readonly Point[]>([]);
/** Two hours at a look every 2 s. */
const MAX_POINTS = 3_600;

const stream = new LiveStream({
  url: "/console/stream",
  onEvent: hear,
  onState: (state, refused) => {
    batch(() => {
      liveness.value = state;
      refusal.value = refused;
    });
    if (refused?.status === 401) {
      void loadMe();
    } else if (refused !== undefined) {
      askOnce();
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
    askOnce();
    void loadHistory();
    refreshAll();
  }
}

function askOnce(): void {
  void get<Overview>("overview").then(take, () => undefined);
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

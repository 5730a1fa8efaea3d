import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { overview, overviewHistory } from "../contracts/overview.js";
import type { Resources } from "./resources.js";
import { look, OWN } from "./route.js";

export const getOverview = (resources: Resources) =>
  look(resources, {
    path: "/overview",
    summary: "How it stands",
    answer: overview,
    handle: () => resources.poller.overview(),
  });

export const getHistory = (resources: Resources) =>
  look(resources, {
    path: "/overview/history",
    summary: "How it stood in the last minutes",
    answer: overviewHistory,
    handle: async () => ({ points: [...resources.poller.history] }),
  });

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that gathers answers would show them in jerks.
  "x-accel-buffering": "no",
};

export const getStream = ({ access, poller, stream }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "GET", path: "/console/stream", summary: "How it stands, as it changes" },
    answers: { 200: z.string() },
    handle: async ({ raw, ending }) => {
      const { untilMs } = access.requireViewer(raw.headers);
      const lastId = /^\d{1,15}$/.exec(String(raw.headers["last-event-id"] ?? ""))?.[0];
      await poller.overview();
      // That it stays open is no part of how long its answer took.
      const since = performance.now();
      raw.waitedMs = () => performance.now() - since;
      const body = stream.follow(lastId === undefined ? undefined : Number(lastId), { ending, untilMs });
      return { status: 200, headers: HEADERS, stream: body };
    },
  });

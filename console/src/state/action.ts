import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Action } from "../../../services/console/contracts/actions.js";
import { get, post } from "../lib/api.js";
import { sendOnce, unansweredOf } from "../lib/intents.js";
import type { ApiError } from "../lib/problem.js";
import { refreshAll } from "./answer.js";

/** Something that a person may have done; it is asked about before. */
export interface OfferedAction {
  /** A sentence's beginning: `Cancel run r12`. */
  readonly title: string;
  /** The name of what it is done to, which a dangerous action wants typed. */
  readonly subject: string;
  /** Of how much: `12 letters`. */
  readonly count: string;
  /** What will be different, in a sentence. */
  readonly consequence: string;
  /** On the button. */
  readonly verb: string;
  readonly path: string;
  readonly body: object;
  /** It cannot be undone. */
  readonly danger?: boolean;
  /** Is to be seen before. */
  readonly dryRun?: DryRun;
}

export interface DryRun {
  readonly path: string;
  readonly body: object;
  readonly show: (answer: unknown) => ComponentChildren;
  /** Of how many it tells: the action goes no further than to what was seen. */
  readonly countOf: (answer: unknown) => number;
}

/** What the dialog asks about; undefined: it is closed. */
export const offered = signal<OfferedAction | undefined>(undefined);

export function ask(next: OfferedAction): void {
  offered.value = next;
}

interface Preview {
  readonly answer: unknown;
  readonly count: number;
}

const POLL_MS = 1_000;

/** An action on its way: asked about, looked at, sent once, followed to its end. */
export function useAction(wanted: OfferedAction) {
  const { dryRun } = wanted;
  const [busy, setBusy] = useState(false);
  const [preview, setPreview] = useState<Preview | undefined>();
  const [action, setAction] = useState<Action | undefined>();
  const [error, setError] = useState<ApiError | undefined>();
  const [unanswered, setUnanswered] = useState(() => unansweredOf(wanted));
  // A second click comes before the button is drawn as disabled.
  const underWay = useRef(false);

  const once = async (work: () => Promise<void>) => {
    if (underWay.current) {
      return;
    }
    underWay.current = true;
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (failure) {
      setError(failure as ApiError);
    } finally {
      underWay.current = false;
      setBusy(false);
    }
  };
  const look = () =>
    once(async () => {
      if (dryRun !== undefined) {
        const answer = await post(dryRun.path, dryRun.body);
        setPreview({ answer, count: dryRun.countOf(answer) });
      }
    });
  const send = (reason: string) =>
    once(async () => {
      const details = preview === undefined ? { reason } : { reason, expected: preview.count };
      try {
        setAction(await sendOnce<Action>(wanted, details, unanswered));
        refreshAll();
      } finally {
        setUnanswered(unansweredOf(wanted));
      }
    });
  useEffect(() => {
    if (action?.state !== "running") {
      return;
    }
    const timer = setTimeout(async () => {
      // Not heard of this time: it runs on all the same.
      const now = await get<Action>(`actions/${action.action_id}`).catch(() => ({ ...action }));
      setAction(now);
      if (now.state !== "running") {
        refreshAll();
      }
    }, POLL_MS);
    return () => clearTimeout(timer);
  }, [action]);
  return { busy, preview, action, error, unanswered: unanswered?.body.reason, look, send };
}

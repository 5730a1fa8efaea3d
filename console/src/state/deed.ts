import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Action } from "../../../services/console/contracts/actions.js";
import { get, intentKeys, post } from "../lib/api.js";
import type { ApiError } from "../lib/problem.js";
import { refreshAll } from "./answer.js";

/** Something that a person may have done; it is asked about before. */
export interface Deed {
  /** A sentence's beginning: `Cancel run r12`. */
  readonly title: string;
  /** The name of what it is done to, which a dangerous deed wants typed. */
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

interface DryRun {
  readonly path: string;
  readonly body: object;
  readonly show: (answer: unknown) => ComponentChildren;
}

/** What the dialog asks about; undefined: it is closed. */
export const deed = signal<Deed | undefined>(undefined);

export function ask(next: Deed): void {
  deed.value = next;
}

const POLL_MS = 1_000;

/** A deed on its way: asked about, looked at, sent once, followed to its end. */
export function useDeed({ path, body, dryRun }: Deed) {
  const [busy, setBusy] = useState(false);
  const [preview, setPreview] = useState<{ readonly answer: unknown } | undefined>();
  const [action, setAction] = useState<Action | undefined>();
  const [error, setError] = useState<ApiError | undefined>();
  // A second click comes before the button is drawn as disabled.
  const underWay = useRef(false);
  const [keyOf] = useState(intentKeys);

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
        setPreview({ answer: await post(dryRun.path, dryRun.body) });
      }
    });
  const send = (reason: string) =>
    once(async () => {
      const whole = { ...body, reason };
      setAction(await post<Action>(path, whole, keyOf(whole)));
      refreshAll();
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
  return { busy, preview, action, error, look, send };
}

import { signal } from "@preact/signals";
import { useCallback, useEffect, useState } from "preact/hooks";
import { get } from "../lib/api.js";
import type { ApiError } from "../lib/problem.js";

/** What a GET has brought so far. Data beside an error is stale: the last that came. */
export interface Answer<T> {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly busy: boolean;
  readonly reload: () => void;
}

const round = signal(0);

/** Every answer on the page is asked for again: something was done, or events were missed. */
export function refreshAll(): void {
  round.value += 1;
}

/**
 * Asks for `path` now, when it changes, and when the page refreshes; what is shown stays until the next answer is there.
 *
 * @param againMs after how long it is asked again, by what came; not while the tab is hidden
 */
export function useAnswer<T>(path: string, againMs?: (data: T) => number | undefined): Answer<T> {
  const [state, setState] = useState<Asked<T>>({ path, busy: true });
  const [asked, setAsked] = useState(0);
  const reload = useCallback(() => setAsked((count) => count + 1), []);
  const now = round.value;
  // `asked` and `now` are what asks again.
  useEffect(() => {
    const left = new AbortController();
    setState((before) => (before.path === path ? { ...before, busy: true } : { path, busy: true }));
    get<T>(path, left.signal).then(
      (data) => setState({ path, data, busy: false }),
      (error: ApiError) => {
        if (!left.signal.aborted) {
          setState((before) => ({ ...before, error, busy: false }));
        }
      },
    );
    return () => left.abort();
  }, [path, asked, now]);

  const current: Asked<T> = state.path === path ? state : { path, busy: true };
  const { data, error, busy } = current;
  const waitMs = data === undefined || busy ? undefined : againMs?.(data);
  useEffect(() => {
    if (waitMs === undefined) {
      return;
    }
    const timer = setInterval(() => document.hidden || reload(), waitMs);
    return () => clearInterval(timer);
  }, [waitMs, reload]);
  return { data, error, busy, reload };
}

interface Asked<T> {
  readonly path: string;
  readonly data?: T;
  readonly error?: ApiError;
  readonly busy: boolean;
}

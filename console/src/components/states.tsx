import type { ComponentChildren } from "preact";
import type { ApiError } from "../lib/problem.js";
import type { Answer } from "../state/answer.js";

/** What an answer has brought: not yet, a failure, data, or data that is stale as the newest question failed. */
export function Show<T>(props: {
  readonly answer: Answer<T>;
  readonly children: (data: T) => ComponentChildren;
}) {
  const { data, error, reload } = props.answer;
  if (data === undefined) {
    return error === undefined ? <p class="quiet">Loading …</p> : <Failure error={error} retry={reload} />;
  }
  return (
    <>
      {error && (
        <Failure error={error} retry={reload}>
          What stands below is stale.
        </Failure>
      )}
      {props.children(data)}
    </>
  );
}

/** A refusal in words, with what finds it in the log. */
export function Failure(props: {
  readonly error: ApiError;
  readonly retry?: () => void;
  readonly children?: ComponentChildren;
}) {
  const { error, retry, children } = props;
  return (
    <div class="notice bad" role="alert">
      <p>
        <Mark tone="bad" /> {error.message} {children}
      </p>
      <p class="quiet">
        <code>{error.code}</code>
        {error.traceId !== "" && (
          <>
            {" "}
            trace <code>{error.traceId}</code>
          </>
        )}
      </p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Nothing is there, and that was told: not the same as nothing told. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export type Tone = "good" | "warn" | "bad" | "idle";

/** A shape beside a colour, for who sees no colours. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <span class={`mark ${tone}`} aria-hidden="true">
      {SHAPES[tone]}
    </span>
  );
}
const SHAPES: Readonly<Record<Tone, string>> = { good: "●", warn: "▲", bad: "■", idle: "○" };

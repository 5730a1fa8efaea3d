import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { clockText, instantText } from "../lib/text.js";
import type { Answer } from "../state/answer.js";

/** The first page keeps the browser's focus; each later one begins at its heading, as a page that is loaded does. */
let shown = false;

/** A page's heading, its age and its tools, above its parts. */
export function Page(props: {
  readonly title: string;
  /** Whose age and refresh the heading shows. */
  readonly answer?: Answer<{ readonly as_of: string }>;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const { title, answer, tools, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Payments console`;
  }, [title]);
  useEffect(() => {
    if (shown) {
      heading.current?.focus();
      scrollTo(0, 0);
    }
    shown = true;
  }, []);
  return (
    <>
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <div class="tools">
          {tools}
          {answer && <Age answer={answer} />}
        </div>
      </header>
      {children}
    </>
  );
}

function Age({ answer }: { readonly answer: Answer<{ readonly as_of: string }> }) {
  const { data, error, busy, reload } = answer;
  return (
    <>
      {data && (
        <span class="quiet" title={instantText(data.as_of)}>
          {error ? "stale, " : ""}as of {clockText(Date.parse(data.as_of))}
        </span>
      )}
      <button type="button" onClick={reload} disabled={busy}>
        Refresh
      </button>
    </>
  );
}

/** A part of a page under its own heading. */
export function Section(props: {
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={`card ${props.class ?? ""}`}>
      <header class="section-head">
        <h2>{props.title}</h2>
        {props.tools && <div class="tools">{props.tools}</div>}
      </header>
      {props.children}
    </section>
  );
}

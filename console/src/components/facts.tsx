import type { ComponentChildren } from "preact";

export type Fact = readonly [label: string, value: ComponentChildren];

/** Labels and values of one thing. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What has no fixed shape, as text. */
export function Json({ of, label }: { readonly of: unknown; readonly label: string }) {
  return <Raw text={typeof of === "string" ? of : JSON.stringify(of, null, 2)} label={label} />;
}

/** Text as it came: whatever it holds is shown, none of it is done. */
export function Raw({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="raw" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}

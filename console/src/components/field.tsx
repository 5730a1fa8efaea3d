import type { Ref } from "preact";
import { useId } from "preact/hooks";
import { words } from "../lib/text.js";

interface FieldProps {
  readonly label: string;
  /** Beside the label, in small. */
  readonly hint?: string;
  /** What the server says is wrong with it. */
  readonly wrong?: string | undefined;
  readonly name?: string;
  readonly type?: "text" | "date" | "datetime-local" | "password";
  /** As it begins; a form reads the rest. */
  readonly initial?: string;
  readonly autoComplete?: string;
  readonly inputMode?: "decimal";
  readonly maxLength?: number;
  readonly required?: boolean;
  readonly readOnly?: boolean;
  readonly input?: Ref<HTMLInputElement>;
  readonly onText?: (text: string) => void;
}

/** A field of a form with its label, and what is wrong with it. */
export function Field(props: FieldProps) {
  const { label, hint, wrong, initial, input, onText, type = "text", autoComplete = "off", ...rest } = props;
  const id = useId();
  return (
    <div class="field">
      <label htmlFor={id}>
        {label} {hint && <small class="quiet">{hint}</small>}
      </label>
      <input
        {...rest}
        // Of the types, text stands for all: their attributes differ by what we do not use.
        type={type as "text"}
        id={id}
        ref={input ?? null}
        defaultValue={initial}
        autoComplete={autoComplete}
        spellcheck={false}
        aria-invalid={wrong !== undefined}
        aria-describedby={wrong === undefined ? undefined : `${id}-wrong`}
        onInput={({ currentTarget }) => onText?.(currentTarget.value)}
      />
      {wrong && (
        <span class="wrong" id={`${id}-wrong`}>
          {wrong}
        </span>
      )}
    </div>
  );
}

/** One of some values; an empty one is any, or what `none` says. */
export function Choice(props: {
  readonly label: string;
  readonly name: string;
  readonly values: readonly string[];
  readonly initial: string;
  readonly none?: string;
}) {
  const { label, name, values, initial, none = "any" } = props;
  const id = useId();
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      <select name={name} id={id}>
        {values.map((value) => (
          <option key={value} value={value} selected={value === initial}>
            {value === "" ? none : words(value)}
          </option>
        ))}
      </select>
    </div>
  );
}

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Action } from "../../../services/console/contracts/actions.js";
import { grouped, words } from "../lib/text.js";
import { ask, type OfferedAction, offered, useAction } from "../state/action.js";
import { mayAct } from "../state/session.js";
import { Facts, Json } from "./facts.js";
import { Field } from "./field.js";
import { State } from "./state.js";
import { Failure } from "./states.js";
import { Instant, text } from "./value.js";

/** Opens the dialog that asks about an action; a viewer has none. */
export function ActionButton({
  action: each,
  children,
}: {
  readonly action: OfferedAction;
  readonly children?: string;
}) {
  return mayAct.value ? (
    <button type="button" class={each.danger ? "danger" : undefined} onClick={() => ask(each)}>
      {children ?? each.verb} …
    </button>
  ) : null;
}

/** The one dialog of the page: names, counts, asks why, does it once and shows what the server says of it. */
export function ActionDialog() {
  const each = offered.value;
  return each === undefined ? null : <Dialog key={each.title} action={each} />;
}

/** The browser's own modal dialog: it keeps the focus inside, closes by Escape and gives the focus back. */
function Dialog({ action: asked }: { readonly action: OfferedAction }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { busy, preview, action, error, unanswered, look, send } = useAction(asked);
  const close = () => dialog.current?.close();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const looking = asked.dryRun !== undefined && preview === undefined && unanswered === undefined;
  const nothing = preview?.count === 0 && unanswered === undefined;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="action-title"
      onClose={() => {
        offered.value = undefined;
      }}
    >
      <h2 id="action-title">{asked.title}</h2>
      {action === undefined ? (
        <>
          <Facts
            facts={[
              ["What", <code key="subject">{asked.subject}</code>],
              ["How much", preview === undefined ? asked.count : grouped(preview.count)],
            ]}
          />
          <p>{asked.consequence}</p>
          {preview && <div class="preview">{asked.dryRun?.show(preview.answer)}</div>}
          {error && <Failure error={error} />}
          {unanswered !== undefined && (
            <p>
              It was sent and no answer came: it may have been done or not. Trying again does not do it twice.
            </p>
          )}
          {looking || nothing ? (
            <Look busy={busy} look={look} close={close} />
          ) : (
            <Ask action={asked} busy={busy} unanswered={unanswered} send={send} close={close} />
          )}
        </>
      ) : (
        <Ended action={action} close={close} />
      )}
      <p class="unseen" role="status">
        {busy ? "Asking the server" : (action?.state ?? "")}
      </p>
    </dialog>
  );
}

function Look(props: { readonly busy: boolean; readonly look: () => void; readonly close: () => void }) {
  return (
    <div class="buttons">
      {/* biome-ignore lint/a11y/noAutofocus: where a dialog's reader goes on. */}
      <button type="button" class="primary" autoFocus onClick={props.look} disabled={props.busy}>
        Dry run
      </button>
      <button type="button" onClick={props.close}>
        Back
      </button>
    </div>
  );
}

function Ask(props: {
  readonly action: OfferedAction;
  readonly busy: boolean;
  /** Why it was sent before, without an answer: it is sent again as it was. */
  readonly unanswered: string | undefined;
  readonly send: (reason: string) => void;
  readonly close: () => void;
}) {
  const { unanswered } = props;
  const { danger, subject, verb } = props.action;
  const [reason, setReason] = useState(unanswered ?? "");
  const [typed, setTyped] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const ready = reason.trim().length >= 3 && (!danger || typed === subject);
  const submit = (event: Event) => {
    event.preventDefault();
    if (ready) {
      props.send(reason.trim());
    }
  };
  return (
    <form onSubmit={submit}>
      <Field
        label="Why"
        hint="3 to 200 characters, kept with your name"
        input={field}
        initial={unanswered ?? ""}
        readOnly={unanswered !== undefined}
        maxLength={200}
        required
        onText={setReason}
      />
      {danger && <Field label={`Type ${subject} to confirm`} required onText={setTyped} />}
      <div class="buttons">
        <button type="submit" class={danger ? "primary danger" : "primary"} disabled={props.busy || !ready}>
          {verb}
        </button>
        <button type="button" onClick={props.close}>
          Back
        </button>
      </div>
    </form>
  );
}

/** What became of it, as the server has it. */
function Ended({ action, close }: { readonly action: Action; readonly close: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => button.current?.focus(), []);
  return (
    <>
      <ActionFacts action={action} />
      <div class="buttons">
        <button type="button" ref={button} onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}

export function ActionFacts({ action }: { readonly action: Action }) {
  const { state, asked, who, why, at, ended_at, failure, result } = action;
  return (
    <>
      <Facts
        facts={[
          ["State", <State key="state" state={state} />],
          ["Asked for", text(askedText(asked))],
          ["Who", who],
          ["Why", why],
          ["Since", <Instant key="at" at={at} />],
          ["Ended", <Instant key="ended" at={ended_at} />],
        ]}
      />
      {failure && (
        <div class="notice bad">
          <p>
            {failure.detail} {failure.hint}
          </p>
          <p class="quiet">
            <code>{failure.code}</code>
          </p>
        </div>
      )}
      {result && <Json of={result} label="Result" />}
    </>
  );
}

/** `queue wallet.dlq, all true, expected 3` */
const askedText = (asked: Action["asked"]): string =>
  Object.entries(asked)
    .map(([name, value]) => `${words(name)} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");

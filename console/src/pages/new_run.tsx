import { useRef, useState } from "preact/hooks";
import type { FraudDifficulty } from "../../../services/console/contracts/runs.js";
import type { RunPreview } from "../answers.js";
import { ActionButton } from "../components/action_dialog.js";
import { Facts } from "../components/facts.js";
import { Choice, Field } from "../components/field.js";
import { Page, Section } from "../components/page.js";
import { Failure } from "../components/states.js";
import { Table } from "../components/table.js";
import { Count } from "../components/value.js";
import { post } from "../lib/api.js";
import type { ApiError } from "../lib/problem.js";
import type { Texts } from "../lib/route.js";
import { specOf } from "../lib/run_spec.js";
import { bytesText, counted, grouped, shareText } from "../lib/text.js";
import { mayAct } from "../state/session.js";

const FIELDS = [
  { name: "rows", label: "Rows", hint: "in all months together" },
  { name: "from", label: "From", hint: "first day", type: "date" },
  { name: "to", label: "Until", hint: "first day after", type: "date" },
  { name: "seed", label: "Seed", hint: "same seed, same rows" },
  { name: "dirt_rate", label: "Share of dirt", hint: "0 to 1" },
  { name: "fraud_rate", label: "Share of fraud", hint: "0 to 1" },
  { name: "chunk_rows", label: "Rows a chunk", hint: "a message's work" },
] as const;

const DIFFICULTIES: readonly FraudDifficulty[] = ["easy", "medium", "hard"];

type Spec = ReturnType<typeof specOf>;

/** What a run is asked to be, what it would make, and its start. */
export function NewRunPage() {
  const [spec, setSpec] = useState<Spec>({});
  const [preview, setPreview] = useState<RunPreview | undefined>();
  const [error, setError] = useState<ApiError | undefined>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const show = async (event: Event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form.current ?? undefined)) as Texts;
    const asked = specOf(fields);
    setBusy(true);
    setError(undefined);
    try {
      setPreview(await post<RunPreview>("runs/preview", asked));
      setSpec(asked);
    } catch (failure) {
      setPreview(undefined);
      setError(failure as ApiError);
    }
    setBusy(false);
  };
  if (!mayAct.value) {
    return (
      <Page title="Start a run">
        <p class="empty">Viewers start no runs.</p>
      </Page>
    );
  }
  return (
    <Page title="Start a run">
      <div class="parts">
        <Section title="What it should be">
          <p class="quiet">What is left empty is as the server's settings say.</p>
          {/* What was shown is of the form as it was. */}
          <form ref={form} class="fields" onSubmit={show} onInput={() => setPreview(undefined)}>
            {FIELDS.map((field) => (
              <Field key={field.name} inputMode="decimal" {...field} wrong={error?.fields.get(field.name)} />
            ))}
            <Choice
              {...{ label: "Fraud is", name: "fraud_difficulty", none: "as the settings say", initial: "" }}
              values={["", ...DIFFICULTIES]}
            />
            <div class="buttons">
              <button type="submit" class="primary" disabled={busy}>
                Show what it will make
              </button>
            </div>
          </form>
          {error && <Failure error={error} />}
        </Section>
        {preview && <Preview preview={preview} spec={spec} />}
      </div>
    </Page>
  );
}

function Preview({ preview, spec }: { readonly preview: RunPreview; readonly spec: Spec }) {
  const { rows, from, to, seed, dirt_rate, fraud_rate, fraud_difficulty, chunk_rows } = preview;
  const { chunks, bytes, months, seeded } = preview;
  return (
    <Section title="What it will make">
      <div role="status">
        <Facts
          facts={[
            ["Rows", <Count key="rows" of={rows} />],
            ["Days", `${from} until ${to}`],
            ["Seed", seed],
            ["Dirt", shareText(dirt_rate)],
            ["Fraud", `${shareText(fraud_rate)}, ${fraud_difficulty} to find`],
            ["Chunks", `${grouped(chunks)} of ${counted(chunk_rows, "row")}`],
            ["On disk", `about ${bytesText(bytes)}`],
          ]}
        />
      </div>
      <Table
        caption="Months that it will make"
        columns={[
          { head: "Month", cell: ({ month }) => month },
          { head: "Rows", cell: ({ rows: count }) => <Count of={count} />, numeric: true },
          { head: "Chunks", cell: ({ chunks: count }) => <Count of={count} />, numeric: true },
        ]}
        rows={months}
        keyOf={({ month }) => month}
        empty="No month: it asks for no rows."
      />
      {seeded ? (
        <div class="buttons">
          <ActionButton
            action={{
              title: "Start a run",
              subject: "new run",
              count: `${counted(rows, "row")} in ${counted(months.length, "month")}`,
              consequence: "It fills the months with rows; they are seen month by month as each is whole.",
              verb: "Start the run",
              path: "runs",
              body: spec,
            }}
          />
        </div>
      ) : (
        <p class="notice warn">
          Accounts and merchants are not there yet: <code>payments seed</code> makes them.
        </p>
      )}
    </Section>
  );
}

import type { Mapping } from "../../../services/console/contracts/events.js";
import type { ListOf, Rules } from "../answers.js";
import { ActionButton } from "../components/action_dialog.js";
import { Facts, Json } from "../components/facts.js";
import { Filters } from "../components/filters.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Empty, Show } from "../components/states.js";
import { Paging } from "../components/table.js";
import { Count, Instant, text } from "../components/value.js";
import { queryText } from "../lib/api.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

const STATES = ["pending", "promoted", "rejected", "retired"];

/** What a model taught and waits for a person, and the rules that stand. */
export function RulesPage({ query }: PageProps) {
  const { state = "pending", cursor } = query;
  const mappings = useAnswer<ListOf<Mapping>>(`mappings${queryText({ state, cursor })}`);
  const rules = useAnswer<Rules>("rules");
  return (
    <Page title="Rules and mappings" answer={mappings}>
      <div class="parts">
        <Section title="Mappings that a model taught">
          <Filters filters={[{ name: "state", label: "State", values: STATES, otherwise: "pending" }]} />
          <Show answer={mappings}>
            {({ items, next }) => (
              <>
                {items.length === 0 && <Empty>No mapping is {state}.</Empty>}
                {items.map((mapping) => (
                  <MappingCard key={mapping.id} mapping={mapping} />
                ))}
                <Paging next={next} />
              </>
            )}
          </Show>
        </Section>
        <Section title="Rules">
          <Show answer={rules}>{(known) => <RuleList {...known} />}</Show>
        </Section>
      </div>
    </Page>
  );
}

function MappingCard({ mapping }: { readonly mapping: Mapping }) {
  const { id, rule, state, votes, confirmations } = mapping;
  return (
    <article class="mapping">
      <header class="section-head">
        <h3>{rule}</h3>
        {state === "candidate" && (
          <div class="tools">
            <Decision mapping={mapping} verb="accept" />
            <Decision mapping={mapping} verb="reject" />
          </div>
        )}
      </header>
      <Facts
        facts={[
          ["State", <State key="state" state={state} />],
          ["Waits for a person as", text(mapping.waits_for)],
          ["Provider", text(mapping.provider)],
          ["Source", mapping.source],
          ["Format", mapping.format],
          ["Votes of the model", <Count key="votes" of={votes} />],
          ["Events that agree", <Count key="confirmations" of={confirmations} />],
          ["Decided by", text(mapping.decided_by)],
          ["Created", <Instant key="created" at={mapping.created_at} />],
          ["Changed", <Instant key="changed" at={mapping.changed_at} />],
        ]}
      />
      <Json of={mapping.mapping} label={`Mapping ${id}`} />
    </article>
  );
}

function Decision({ mapping, verb }: { readonly mapping: Mapping; readonly verb: "accept" | "reject" }) {
  const { id, rule, confirmations } = mapping;
  const accepts = verb === "accept";
  return (
    <ActionButton
      action={{
        title: `${accepts ? "Accept" : "Reject"} mapping ${rule}`,
        subject: rule,
        count: `1 mapping, ${confirmations} events agree with it`,
        consequence: accepts
          ? "It becomes a rule: events of this shape are understood by it."
          : "It is used no more, and the events that it served are understood once more without it.",
        verb: accepts ? "Accept" : "Reject",
        path: `mappings/${encodeURIComponent(id)}/${verb}`,
        body: {},
        danger: !accepts,
      }}
    />
  );
}

function RuleList({ version, digest, items }: Rules) {
  return (
    <>
      <p class="quiet">
        Version {version}, <code>{digest}</code>
      </p>
      {items.length === 0 && <Empty>There is no rule.</Empty>}
      {items.map(({ rule, provider, format, data }, place) => (
        <details key={`${place} ${rule}`}>
          <summary>
            {rule}{" "}
            <span class="quiet">
              {provider}, {format}
            </span>
          </summary>
          <Json of={data} label={`Rule ${rule}`} />
        </details>
      ))}
    </>
  );
}

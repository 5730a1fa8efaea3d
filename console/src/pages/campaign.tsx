import type { CampaignDetail } from "../answers.js";
import { Progress } from "../components/bars.js";
import { Facts } from "../components/facts.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Count, Id, Instant, Money, text } from "../components/value.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function CampaignPage({ params }: PageProps) {
  const id = params["id"] ?? "";
  const answer = useAnswer<CampaignDetail>(`campaigns/${encodeURIComponent(id)}`);
  return (
    <Page title={`Campaign ${answer.data?.campaign.name ?? id}`} answer={answer}>
      <Show answer={answer}>
        {(detail) => (
          <div class="parts">
            <Campaign {...detail} />
            <Changes {...detail} />
          </div>
        )}
      </Show>
    </Page>
  );
}

function Campaign({ campaign }: CampaignDetail) {
  const { currency } = campaign;
  return (
    <Section title="Campaign">
      <Facts
        facts={[
          [
            "Id",
            <span key="id" class="id">
              {campaign.id}
            </span>,
          ],
          ["State", <State key="state" state={campaign.state} />],
          ["Spent", <Progress key="spent" label="Spent of the budget" share={campaign.spent_share} />],
          ["Spend", <Money key="spend" amount={campaign.spend} currency={currency} />],
          ["Budget", <Money key="budget" amount={campaign.budget} currency={currency} />],
          ["Impressions", <Count key="impressions" of={campaign.impressions} />],
          ["Clicks", <Count key="clicks" of={campaign.clicks} />],
          ["Conversions", <Count key="conversions" of={campaign.conversions} />],
          ["Starts", <Instant key="starts" at={campaign.starts_at} />],
          ["Ends", <Instant key="ends" at={campaign.ends_at} />],
          ["Created", <Instant key="created" at={campaign.created_at} />],
          ["Updated", <Instant key="updated" at={campaign.updated_at} />],
          ["Summed up in", <Id key="reports" kind="reports" id="" label="reports" />],
        ]}
      />
    </Section>
  );
}

function Changes({ campaign, changes }: CampaignDetail) {
  return (
    <Section title="Changes">
      <Table
        caption="Changes of the campaign, newest first"
        columns={[
          { head: "Version", cell: ({ version }) => version },
          { head: "State", cell: ({ state }) => <State state={state} /> },
          {
            head: "Budget",
            cell: ({ budget }) => <Money amount={budget} currency={campaign.currency} />,
            numeric: true,
          },
          { head: "Trace", cell: ({ trace_id }) => <span class="id">{text(trace_id)}</span> },
          { head: "Changed", cell: ({ changed_at }) => <Instant at={changed_at} /> },
        ]}
        rows={changes}
        keyOf={({ version }) => String(version)}
        empty="Nothing has changed since it was made."
      />
    </Section>
  );
}

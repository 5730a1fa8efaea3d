import type { Overview } from "../../../../services/console/contracts/overview.js";
import { Facts } from "../../components/facts.js";
import { Section } from "../../components/page.js";
import { State } from "../../components/state.js";
import { Count, Instant } from "../../components/value.js";
import { bytesText, durationText } from "../../lib/text.js";

/** Servers, the last backup and drill, the last audit. */
export function Safety({ now }: { readonly now: Overview }) {
  const { servers, backup, audit } = now;
  return (
    <Section title="What holds" tools={<a href="#/backups">Backups</a>}>
      <h3>Servers</h3>
      <Facts
        facts={[
          ["PostgreSQL", <ServerState key="postgres" {...servers.postgres} />],
          ["RabbitMQ", <ServerState key="rabbitmq" {...servers.rabbitmq} />],
        ]}
      />
      <h3>Backups</h3>
      <Backup backup={backup} />
      <h3>Books</h3>
      {audit === null ? (
        <p class="empty">No audit is known.</p>
      ) : (
        <Facts
          facts={[
            [
              "Last audit",
              <State
                key="audit"
                state={audit.differences === 0 ? "passed" : "failed"}
                label={audit.differences === 0 ? "the books agree" : "the books differ"}
              />,
            ],
            ["Differences", <Count key="differences" of={audit.differences} />],
            ["Finished", <Instant key="finished" at={audit.finished_at} />],
          ]}
        />
      )}
    </Section>
  );
}

function ServerState({ state, since, as_of }: Overview["servers"]["postgres"]) {
  return (
    <>
      <State state={state} /> <span class="quiet">since</span> <Instant at={since} />
      {state !== "up" && (
        <>
          <span class="quiet">, answered last</span> <Instant at={as_of} />
        </>
      )}
    </>
  );
}

function Backup({ backup }: Pick<Overview, "backup">) {
  if (backup === null) {
    return <p class="empty">PostgreSQL has told nothing yet.</p>;
  }
  const { last, drill } = backup;
  return (
    <Facts
      facts={[
        [
          "Last backup",
          last === null ? (
            <State key="last" state="warning" label="none was made" />
          ) : (
            <>
              <State state={last.state} /> <Instant at={last.finished_at} />
              {last.bytes !== null && `, ${bytesText(Number(last.bytes))}`}
            </>
          ),
        ],
        [
          "Last drill",
          drill === null ? (
            <State key="drill" state="warning" label="none was tried" />
          ) : (
            <>
              <State state={drill.state} /> <Instant at={drill.finished_at} />
              {drill.restore_ms !== null && `, restored in ${durationText(drill.restore_ms / 1_000)}`}
            </>
          ),
        ],
      ]}
    />
  );
}

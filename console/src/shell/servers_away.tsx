import { Mark } from "../components/states.js";
import { Instant } from "../components/value.js";
import { overview, refusal } from "../state/live.js";

const NAMES = { postgres: "PostgreSQL", rabbitmq: "RabbitMQ" } as const;

/** Which of the two servers is away, and why the page is not live, on every page: what is shown is old there too. */
export function ServersAway() {
  const servers = overview.value?.servers;
  const away = (["postgres", "rabbitmq"] as const).filter((name) => servers?.[name].state === "away");
  return (
    <div role="status">
      {refusal.value && (
        <div class="notice warn">
          <p>
            <Mark tone="warn" /> This page is not live, and asks every few seconds: {refusal.value.message}{" "}
            <code>{refusal.value.code}</code>
          </p>
        </div>
      )}
      {away.map((name) => (
        <div class="notice bad" key={name}>
          <p>
            <Mark tone="bad" /> {NAMES[name]} is away since <Instant at={servers?.[name].since ?? null} />
            {servers?.[name].code && (
              <>
                {" "}
                (<code>{servers[name].code}</code>)
              </>
            )}
            . What comes from it is as of <Instant at={servers?.[name].as_of ?? null} />.
          </p>
        </div>
      ))}
    </div>
  );
}

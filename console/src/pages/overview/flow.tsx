import type { Overview } from "../../../../services/console/contracts/overview.js";
import { Mark } from "../../components/states.js";
import { Id } from "../../components/value.js";
import { LANES, type Lane, loadOf, type Stop } from "../../lib/flow.js";
import { hrefOf } from "../../lib/route.js";
import { grouped, measureText } from "../../lib/text.js";

interface Now {
  readonly now: Overview;
}

/** The platform as lanes: what comes in, and what waits before each module on its way. */
export function Flow({ now }: Now) {
  return (
    <div class="flow">
      {LANES.map((lane) => (
        <LaneOf key={lane.title} lane={lane} now={now} />
      ))}
    </div>
  );
}

function LaneOf({ lane, now }: Now & { readonly lane: Lane }) {
  const rate = lane.rateOf(now);
  return (
    <section class="lane-of" aria-label={lane.title}>
      <h3>{lane.title}</h3>
      <ol class="lane">
        <li class="stop source">
          <strong>{lane.source}</strong>
          {rate === null ? (
            <span class="quiet">no data</span>
          ) : (
            <span>
              <span class="big num">{measureText(rate)}</span> <span class="quiet">{lane.unit}</span>
            </span>
          )}
        </li>
        {lane.stops.map((stop) => (
          <StopOf key={stop.module} stop={stop} queues={now.queues} />
        ))}
      </ol>
    </section>
  );
}

function StopOf({ stop, queues }: { readonly stop: Stop; readonly queues: Overview["queues"] }) {
  const load = queues && loadOf(stop.module, queues);
  return (
    <li class={load?.dead || load?.unattended ? "stop wrong" : "stop"}>
      <strong>{stop.page ? <a href={hrefOf([stop.page])}>{stop.title}</a> : stop.title}</strong>
      {load === null ? (
        <span class="quiet">{queues === null ? "no data" : "no queue"}</span>
      ) : (
        <>
          <span>
            <span class="big num">{grouped(load.waiting)}</span>{" "}
            <span class="quiet">waiting{load.retried > 0 && `, ${grouped(load.retried)} again`}</span>
          </span>
          {load.unattended && (
            <span>
              <Mark tone="bad" /> no consumer
            </span>
          )}
          {load.deadQueue && (
            <span>
              <Mark tone="bad" /> <Id kind="queue" id={load.deadQueue} label={`${grouped(load.dead)} dead`} />
            </span>
          )}
        </>
      )}
    </li>
  );
}

import { isOver } from "../../etl/ledger/run.js";
import { formatMessage, type OutMessage } from "../../etl/message.js";
import { ETL_QUEUES } from "../../etl/queues.js";
import type { Simulation } from "./simulation.js";

/** Something that goes wrong. @returns what, for the trace, or undefined when there is nothing that it could happen to. */
type Fault = (simulation: Simulation) => string | undefined;

/** No fault, but as sudden. Not as often, for little happens after. */
const cancelRun: Fault = (simulation) => {
  const { dice } = simulation.scheduler;
  const runs = [...simulation.postgres.db.runs.values()].filter(({ state }) => !isOver(state));
  if (runs.length === 0 || dice.between(1, 3) > 1) {
    return undefined;
  }
  const { run_id } = dice.pick(runs);
  simulation.cancel(run_id);
  return `payments cancel ${run_id}`;
};

const duplicate: Fault = ({ broker, scheduler }) => {
  const twice = [...broker.letters].filter(({ body }) => body !== "stage");
  if (twice.length === 0) {
    return undefined;
  }
  const { queue, body } = scheduler.dice.pick(twice);
  broker.put(queue, body);
  return `${body} is there twice`;
};

/** Every fault is as likely as any other. */
const FAULTS: readonly Fault[] = [
  function killWorker({ workers, scheduler }) {
    const worker = scheduler.dice.pick(workers);
    worker.kill();
    return `${worker.actor.name} is killed`;
  },
  function stopWorker({ workers, scheduler }) {
    const worker = scheduler.dice.pick(workers);
    worker.stop();
    return `${worker.actor.name} is told to stop`;
  },
  cancelRun,
  // No fault either. Of interest when another run is to add to the month.
  function holdMonth(simulation) {
    const { db } = simulation.postgres;
    const open = [...db.runMonths.values()].filter(({ state }) => state === "open");
    const months = [...db.months.keys()].filter((month) => open.some((other) => other.month === month));
    if (months.length === 0) {
      return undefined;
    }
    const month = simulation.scheduler.dice.pick(months);
    simulation.hold(month);
    return `payments heal holds ${month}`;
  },
  function crashPostgres({ postgres }) {
    postgres.crash();
    return "PostgreSQL crashes";
  },
  // What a lease that has run out does, too.
  function endBackends({ postgres, scheduler, workers }) {
    const { actor } = scheduler.dice.pick(workers);
    for (const connection of postgres.connectionsOf(actor)) {
      connection.cut();
    }
    return `all backends of ${actor.name} are ended`;
  },
  function cutConnection({ postgres, scheduler }) {
    const busy = postgres.connectionsOf().filter(({ inTransaction }) => inTransaction);
    if (busy.length === 0) {
      return undefined;
    }
    const connection = scheduler.dice.pick(busy);
    connection.cut();
    return `a connection of ${connection.owner.name} to PostgreSQL is lost in mid-transaction`;
  },
  function loseReply({ postgres }) {
    postgres.losesReply = true;
    return "the reply to the next COMMIT will be lost";
  },
  function crashBroker({ broker }) {
    if (broker.beginning) {
      return undefined;
    }
    broker.crash();
    return "RabbitMQ crashes";
  },
  function loseBroker(simulation) {
    // A bare `stage` is in no ledger yet: who typed it must look and type it again.
    if (simulation.broker.beginning) {
      return undefined;
    }
    simulation.broker.crash();
    simulation.broker.letters.clear();
    simulation.owesResume = true;
    return "RabbitMQ crashes and loses its disk";
  },
  function cutConsumer({ broker, scheduler, workers }) {
    if (broker.beginning) {
      return undefined;
    }
    const { actor } = scheduler.dice.pick(workers);
    broker.cutConsumer(actor);
    return `${actor.name} loses its link for consuming, and goes on`;
  },
  function outlast({ broker, scheduler }) {
    if (broker.held.length === 0) {
      return undefined;
    }
    const { letter, actor, overdue } = scheduler.dice.pick(broker.held);
    overdue.abort("held for long");
    return `${actor.name} has held ${letter.body} for long`;
  },
  function outwork({ broker, scheduler }) {
    if (broker.held.length === 0 || broker.beginning) {
      return undefined;
    }
    const held = scheduler.dice.pick(broker.held);
    held.overdue.abort("held for long");
    void broker.renew(held);
    return `${held.actor.name} goes on with ${held.letter.body} for long`;
  },
  function cutPublisher({ broker, scheduler, workers }) {
    const { actor } = scheduler.dice.pick(workers);
    broker.cutPublisher(actor);
    return `${actor.name} loses its link for publishing`;
  },
  function loseConfirm({ broker }) {
    broker.trap = "confirm lost";
    return "the next confirm will be lost";
  },
  function refuse({ broker }) {
    broker.trap = "refused";
    return "the next message will be refused";
  },
  duplicate,
  /** Any message about what was sent out once, early or late. */
  function stray({ postgres, broker, scheduler: { dice } }) {
    const opened = [...postgres.db.runMonths.values()];
    if (opened.length === 0) {
      return undefined;
    }
    const { run, month } = dice.pick(opened);
    const chunk = dice.between(0, (postgres.db.runs.get(run)?.next_chunk ?? 1) - 1);
    const message = dice.pick<OutMessage>([
      { kind: "plan", run },
      { kind: "stage", run, chunk },
      { kind: "clean", run, chunk },
      { kind: "agg", run, month },
    ]);
    broker.put(ETL_QUEUES.work, formatMessage(message));
    return `${formatMessage(message)} comes from nowhere`;
  },
];

/** How a schedule is disturbed. */
export interface Disturbance {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Whether an operator who may go on does so before anybody else. */
  readonly operatorFirst: boolean;
}

export const ANYTHING: Disturbance = { name: "any fault", faults: FAULTS, operatorFirst: false };

/** Messages come twice, and a cancel is quicker than the steps. Among all faults the two met at one chunk once in 10,000 schedules. */
export const QUICK_CANCEL: Disturbance = {
  name: "a quick cancel",
  faults: [cancelRun, duplicate],
  operatorFirst: true,
};

import type { Pago } from "../../../services/console/contracts/pagos.js";
import type { Filter } from "../components/filters.js";
import { ListPage } from "../components/list_page.js";
import { State } from "../components/state.js";
import type { Column } from "../components/table.js";
import { Id, Instant, Money, text } from "../components/value.js";
import type { PageProps } from "./page_props.js";

const STATES: readonly Pago["estado"][] = ["PENDIENTE", "PROCESANDO", "EXITOSO", "FALLIDO"];
const FILTERS: readonly Filter[] = [
  { name: "afiliado", label: "Affiliate" },
  { name: "estado", label: "State", values: STATES },
  { name: "from", label: "From (UTC)", time: true },
  { name: "to", label: "Until (UTC)", time: true },
];

const COLUMNS: readonly Column<Pago>[] = [
  { head: "Payout", cell: ({ id }) => <Id kind="pago" id={id} /> },
  {
    head: "State",
    cell: ({ estado, devuelto }) => (
      <>
        <State state={estado} /> {devuelto && <State state="RESOLVED_LATE" label="sent back" />}
      </>
    ),
  },
  { head: "Reason", cell: ({ motivo }) => text(motivo) },
  { head: "Amount", cell: ({ monto, moneda }) => <Money amount={monto} currency={moneda} />, numeric: true },
  { head: "Affiliate", cell: ({ id_afiliado }) => id_afiliado },
  { head: "Reference", cell: ({ referencia_pago }) => text(referencia_pago) },
  { head: "Created", cell: ({ created_at }) => <Instant at={created_at} /> },
];

export function PayoutsPage({ query }: PageProps) {
  return (
    <ListPage
      title="Payouts"
      path="pagos"
      query={query}
      filters={FILTERS}
      caption="Payouts, newest first"
      columns={COLUMNS}
      keyOf={({ id }) => id}
      empty={
        <>
          No payout was asked for yet. <code>POST /pagos/</code> asks for one.
        </>
      }
    />
  );
}

import { beginning, remembered, wordsOf } from "./words.js";

/** What the words of a path say of a field that a model reads there. */
interface FieldWords {
  readonly speakFor: RegExp;
  readonly speakAgainst: RegExp;
}

/** In the languages of the providers' markets: English, Spanish, Portuguese, German, French, Italian. */
const WORDS = {
  amount: {
    speakFor: beginning(
      "amount amt importe? imp monto valor value total betrag montant quantia gross summe sum",
    ),
    speakAgainst: beginning(
      `fees? tax(es|a)? iva vat net neto liquid tips? propina comis commission balance saldo discount descuento desconto shipping
       limit rate installments? cuotas? parcelas? exchange remaining gebuehr gebuhr steuer previous cumulative available count
       cashback rebate reward bonus points? interest surcharge deposit`,
    ),
  },
  currency: {
    speakFor: beginning("currency ccy cur(r|$) moneda divisa moeda waehrung wahrung devise valuta iso"),
    speakAgainst: beginning("settle payout card base fx billing exchange liquid fees? tax(es|a)?"),
  },
  id: {
    speakFor: beginning(
      "ids?$ uuid guid ref(erence|erencia)?s?$ codigo number numero nro transac txn trx operac operation payment pago folio nsu key",
    ),
    speakAgainst: beginning(
      `customer client cliente merchant comercio users? usuario terminal device store tienda loja card tarjeta cartao account cuenta
       conta session shop payer payor buyer comprador pagador email product plan subscription batch site issuer acquirer auth
       request trace branch sucursal`,
    ),
  },
  paymentRef: {
    speakFor: beginning(
      "ref(erence|erencia)?s?$ payment pago order orden pedido transac txn original related parent intent charge bestell commande",
    ),
    speakAgainst: beginning(
      "customer client cliente merchant users? usuario terminal device card tarjeta account cuenta session email",
    ),
  },
  occurredAt: {
    speakFor: beginning(
      "dates?$ time times? at$ created timestamp ts$ occurred fecha hora data$ datum zeit when heure processed event authori autori",
    ),
    speakAgainst: beginning(
      "expir exp$ venc birth nacim due valid settle settlement payout start end$ ablauf caduc liquid updated actualiz next",
    ),
  },
  merchant: {
    speakFor: beginning(
      "merchant seller vendedor store shop comercio tienda loja lojista haendler handler razon business company empresa marchand commerce",
    ),
    speakAgainst: beginning(
      `customer payer payor buyer shopper client cliente holder titular card tarjeta users? usuario consumer comprador pagador issuer
       emisor bank banco acquirer email id$ code codigo phone`,
    ),
  },
  country: {
    speakFor: beginning("country pais land pays paese nation"),
    speakAgainst: beginning(
      "card tarjeta cartao issuer issuing emisor shopper customer payer billing shipping ip$ bank banco buyer client cliente",
    ),
  },
  status: {
    speakFor: beginning(
      `stat(us|e|o)?$ estado resultado result outcome estatus situac type tipo events? evento success exito etat zustand response respuesta
       decision approved`,
    ),
    speakAgainst: beginning(
      `card tarjeta customer client kyc account webhook shipping delivery fulfil risk fraud settlement payout avs cvv cvc ds$ previous
       old livemode verif retry http`,
    ),
  },
} satisfies Readonly<Record<string, FieldWords>>;

/**
 * Whether the words of a path speak for a field, against it, or say nothing. The key's own words count, then those of the object
 * right around it: `/customer/id` is no id of the event, `/merchant/name` is a merchant.
 */
export function wordsSay(field: keyof typeof WORDS, path: string): Said {
  return SAYINGS[field](path);
}

type Said = "for" | "against" | "nothing";

const SAYINGS = Object.fromEntries(
  Object.entries(WORDS).map(([field, words]) => [field, remembered((path) => saidBy(words, path))]),
) as Readonly<Record<keyof typeof WORDS, (path: string) => Said>>;

function saidBy({ speakFor, speakAgainst }: FieldWords, path: string): Said {
  const words = path
    .split("/")
    .slice(1)
    .filter((segment) => segment !== "*")
    .slice(-2)
    .flatMap(wordsOf);
  if (words.some((word) => speakAgainst.test(word))) {
    return "against";
  }
  return words.some((word) => speakFor.test(word)) ? "for" : "nothing";
}

/** Those of some paths whose words speak for the field: rivals of the one that a model chose. */
export const pathsFor = (field: keyof typeof WORDS, paths: Iterable<string>): readonly string[] =>
  [...paths].filter((path) => wordsSay(field, path) === "for");

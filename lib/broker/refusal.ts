import { CoreError } from "../core_errors.js";
import { codeOf, messageOf, type PlatformError } from "../errors.js";
import { askAmqp, LOCAL_STACK, type Meaning, meaningOfErrno } from "../probe.js";
import type { BrokerAddress } from "../settings/base.js";
import { isTlsCode } from "../tls.js";
import { askWhy, type Reply } from "./ask_why.js";

const ACCESS_REFUSED = 403;
/** An unknown vhost, one without rights, or a limit that is reached. */
const NOT_ALLOWED = 530;

const PORT_HINT =
  "Check RABBITMQ_HOST and RABBITMQ_PORT (the AMQP port, not that of the management UI), and that the broker runs.";
const PLAIN_HINT =
  "Set RABBITMQ_SSLMODE to require or verify-full, or RABBITMQ_PORT to its plain port (5672).";
const NO_TLS_HINT =
  "Set RABBITMQ_PORT to its TLS port (5671), or RABBITMQ_SSLMODE=disable where the network is yours.";
const TLS_HINT =
  "Name the authority of its certificate in RABBITMQ_SSLROOTCERT, and the host as the certificate does; RABBITMQ_SSLMODE=require trusts any.";
const LIMIT_HINT =
  "End connections that nobody needs, or raise the limit: rabbitmqctl list_vhost_limits, list_user_limits.";

/** Why there is no connection, and what to do about it: by errno or TLS code, else by what the broker or the port answers. */
export async function refusal(cause: unknown, address: BrokerAddress): Promise<PlatformError> {
  const { code, what, hint, told = messageOf(cause) } = await meaningOf(codeOf(cause) ?? "", address);
  return new CoreError(code, `${what} (${told}).`, { hint, cause });
}

/** `told`: the broker's own words. */
type Refusal = Meaning & { readonly told?: string | undefined };

async function meaningOf(errno: string, address: BrokerAddress): Promise<Refusal> {
  const place = { host: address.RABBITMQ_HOST, port: address.RABBITMQ_PORT };
  const where = `${place.host}:${place.port}`;
  const network = meaningOfErrno(errno, "RabbitMQ", place);
  if (network !== undefined) {
    return network;
  }
  // The handshake's failures carry no code, and to a broker without TLS a client's hello is no AMQP: the port is asked once more.
  const answer = await askAmqp(place);
  if (isTlsCode(errno)) {
    const noTls = `RabbitMQ at ${where} speaks no TLS on this port`;
    const untrusted = `no TLS that can be trusted with RabbitMQ at ${where}`;
    return answer === "amqp"
      ? { code: "RABBITMQ_TLS", what: noTls, hint: NO_TLS_HINT }
      : { code: "RABBITMQ_TLS", what: untrusted, hint: TLS_HINT };
  }
  if (answer === "amqp" || (answer === "tls" && address.RABBITMQ_SSLMODE !== "disable")) {
    return meaningOfReply(await askWhy(address), where, address);
  }
  if (answer === "tls") {
    const what = `${where} speaks TLS, and RABBITMQ_SSLMODE is disable`;
    return { code: "RABBITMQ_TLS", what, hint: PLAIN_HINT };
  }
  if (answer === "other") {
    const what = `what answers at ${where} does not speak AMQP 0-9-1`;
    return { code: "NOT_RABBITMQ", what, hint: PORT_HINT };
  }
  const what = `${where} takes connections but does not answer as RabbitMQ`;
  return { code: "RABBITMQ_UNREACHABLE", what, hint: PORT_HINT };
}

function meaningOfReply(reply: Reply | undefined, where: string, address: BrokerAddress): Refusal {
  const told = reply?.text;
  const refused = `RabbitMQ at ${where} refused user "${address.RABBITMQ_USER}"`;
  if (reply?.code === ACCESS_REFUSED) {
    const given = address.RABBITMQ_PASSWORD === "" ? ", for which no password is set" : "";
    const hint = `Check RABBITMQ_USER and RABBITMQ_PASSWORD; ${LOCAL_STACK}.`;
    return { code: "RABBITMQ_AUTH", what: `${refused}${given}`, hint, told };
  }
  if (reply?.code === NOT_ALLOWED) {
    const what = `${refused} the vhost "${address.RABBITMQ_VHOST}"`;
    // AMQP has one code for all three; where the text is another one day, the broker's own words are shown all the same.
    if (/limit/.test(reply.text)) {
      return { code: "RABBITMQ_EXHAUSTED", what, hint: LIMIT_HINT, told };
    }
    const hint = `Check RABBITMQ_VHOST, and that the user has permissions on it; ${LOCAL_STACK}.`;
    return { code: "RABBITMQ_AUTH", what, hint, told };
  }
  // It lets us in this time, or has something else in mind that passes, as while it starts.
  const what = `RabbitMQ at ${where} took no connection just now`;
  return { code: "RABBITMQ_UNREACHABLE", what, hint: "See its log.", told };
}

import { type CoreCode, CoreError } from "../core_errors.js";
import { codeOf, messageOf, type PlatformError } from "../errors.js";
import { askAmqp } from "../probe.js";
import { isTlsCode } from "../tls.js";
import type { BrokerAddress } from "./address.js";
import { askWhy } from "./ask_why.js";

const LOCAL_STACK = 'the local stack\'s: eval "$(scripts/stack.sh env)"';
const ACCESS_REFUSED = 403;
/** An unknown vhost, one without rights, or a limit that is reached. */
const NOT_ALLOWED = 530;

/** Why there is no connection, and what to do about it: by errno or TLS code, else by what the broker or the port answers. */
export async function refusal(cause: unknown, address: BrokerAddress): Promise<PlatformError> {
  const where = `${address.RABBITMQ_HOST}:${address.RABBITMQ_PORT}`;
  const code = codeOf(cause) ?? "";
  const as = (kind: CoreCode, what: string, hint: string, told = messageOf(cause)) =>
    new CoreError(kind, `${what} (${told}).`, { hint, cause });

  // To a broker without TLS a client's hello is no AMQP, and what it says of that is no TLS.
  if (isTlsCode(code)) {
    const plain = (await askAmqp({ host: address.RABBITMQ_HOST, port: address.RABBITMQ_PORT })) === "amqp";
    return plain
      ? as("RABBITMQ_TLS", `RabbitMQ at ${where} speaks no TLS on this port`, NO_TLS_HINT)
      : as("RABBITMQ_TLS", `no TLS that can be trusted with RabbitMQ at ${where}`, TLS_HINT);
  }
  const network = Object.hasOwn(NETWORK, code) ? NETWORK[code] : undefined;
  if (network !== undefined) {
    return as("RABBITMQ_UNREACHABLE", `${network[0]} ${where}`, network[1]);
  }

  // The handshake's failures carry no code: the driver is not asked, but the broker, once more.
  const answer = await askAmqp({ host: address.RABBITMQ_HOST, port: address.RABBITMQ_PORT });
  const inTls = answer === "tls" && address.RABBITMQ_SSLMODE !== "disable";
  if (answer !== "amqp" && !inTls) {
    return meaningOfAnswer(answer, where, as);
  }
  const reply = await askWhy(address);
  if (reply?.code === ACCESS_REFUSED) {
    const given = address.RABBITMQ_PASSWORD === "" ? ", for which no password is set" : "";
    const hint = `Check RABBITMQ_USER and RABBITMQ_PASSWORD; ${LOCAL_STACK}.`;
    return as(
      "RABBITMQ_AUTH",
      `RabbitMQ at ${where} refused user "${address.RABBITMQ_USER}"${given}`,
      hint,
      reply.text,
    );
  }
  if (reply?.code === NOT_ALLOWED) {
    const what = `RabbitMQ at ${where} refused user "${address.RABBITMQ_USER}" the vhost "${address.RABBITMQ_VHOST}"`;
    // AMQP has one code for all three; where the text is another one day, the broker's own words are shown all the same.
    if (/limit/.test(reply.text)) {
      return as("RABBITMQ_EXHAUSTED", what, LIMIT_HINT, reply.text);
    }
    const hint = `Check RABBITMQ_VHOST, and that the user has permissions on it; ${LOCAL_STACK}.`;
    return as("RABBITMQ_AUTH", what, hint, reply.text);
  }
  // It lets us in this time, or has something else in mind that passes, as while it starts.
  const what = `RabbitMQ at ${where} took no connection just now`;
  return as("RABBITMQ_UNREACHABLE", what, "See its log.", reply?.text);
}

type Say = (kind: CoreCode, what: string, hint: string) => PlatformError;

function meaningOfAnswer(answer: "tls" | "other" | "silent", where: string, as: Say): PlatformError {
  if (answer === "tls") {
    const hint = "Set RABBITMQ_SSLMODE to require or verify-full, or RABBITMQ_PORT to its plain port (5672).";
    return as("RABBITMQ_TLS", `${where} speaks TLS, and RABBITMQ_SSLMODE is disable`, hint);
  }
  if (answer === "other") {
    return as("NOT_RABBITMQ", `what answers at ${where} does not speak AMQP 0-9-1`, PORT_HINT);
  }
  return as("RABBITMQ_UNREACHABLE", `${where} takes connections but does not answer as RabbitMQ`, PORT_HINT);
}

const PORT_HINT =
  "Check RABBITMQ_HOST and RABBITMQ_PORT (the AMQP port, not that of the management UI), and that the broker runs.";
const LIMIT_HINT =
  "End connections that nobody needs, or raise the limit: rabbitmqctl list_vhost_limits, list_user_limits.";
const NO_TLS_HINT =
  "Set RABBITMQ_PORT to its TLS port (5671), or RABBITMQ_SSLMODE=disable where the network is yours.";
const TLS_HINT =
  "Name the authority of its certificate in RABBITMQ_SSLROOTCERT, and the host as the certificate does; RABBITMQ_SSLMODE=require trusts any.";

const NETWORK: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ECONNREFUSED: [
    "nobody listens at",
    `Start RabbitMQ (scripts/stack.sh up), or check RABBITMQ_HOST and RABBITMQ_PORT; ${LOCAL_STACK}.`,
  ],
  ENOTFOUND: ["the host name is not known:", "Check RABBITMQ_HOST."],
  EAI_AGAIN: ["the host name cannot be looked up just now:", "Check RABBITMQ_HOST and the DNS."],
  ETIMEDOUT: ["no answer from", "Check RABBITMQ_HOST, RABBITMQ_PORT and the firewalls between."],
  EHOSTUNREACH: ["no way to", "Check RABBITMQ_HOST and the network."],
  ENETUNREACH: ["no way to", "Check RABBITMQ_HOST and the network."],
};

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { CoreCode } from "./core_errors.js";
import type { TlsOptions } from "./tls.js";

/** Why there is no connection to a server, for when its driver does not say it well enough, or not at all. */
export interface Meaning {
  readonly code: CoreCode;
  readonly what: string;
  readonly hint: string;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export const LOCAL_STACK = 'the local stack\'s: eval "$(scripts/stack.sh env)"';

const SETTINGS_PREFIX = { PostgreSQL: "POSTGRES", RabbitMQ: "RABBITMQ" } as const;

/** By the code of the socket's error. */
export function meaningOfErrno(
  code: string,
  server: keyof typeof SETTINGS_PREFIX,
  { host, port }: Place,
): Meaning | undefined {
  const prefix = SETTINGS_PREFIX[server];
  const where = `${host}:${port}`;
  const checkNetwork = `Check ${prefix}_HOST and the network.`;
  const meanings: Readonly<Record<string, readonly [what: string, hint: string]>> = {
    ECONNREFUSED: [
      `nobody listens at ${where}`,
      `Start ${server} (scripts/stack.sh up), or check ${prefix}_HOST and ${prefix}_PORT; ${LOCAL_STACK}.`,
    ],
    ENOTFOUND: [`the host name ${host} is not known`, `Check ${prefix}_HOST.`],
    EAI_AGAIN: [`the host name ${host} cannot be looked up just now`, `Check ${prefix}_HOST and the DNS.`],
    ETIMEDOUT: [`no answer from ${where}`, `Check ${prefix}_HOST, ${prefix}_PORT and the firewalls between.`],
    EHOSTUNREACH: [`no way to ${where}`, checkNetwork],
    ENETUNREACH: [`no way to ${where}`, checkNetwork],
  };
  const known = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  return known && { code: `${prefix}_UNREACHABLE`, what: known[0], hint: known[1] };
}

const ANSWER_MS = 2_000;
/** A PostgreSQL client's question whether the server has TLS: `S` and `N` are the answers, `E` that of a server in trouble. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
/** An AMQP 0-9-1 client's first words; a broker answers with a frame, or, if that is not its version, with its own header. */
export const AMQP_HEADER = Buffer.from("AMQP\0\0\x09\x01", "latin1");

/** `tls` and `plain`: a PostgreSQL with and without TLS. `silent`: no answer, which a proxy without its server gives too. */
export async function askPostgres(place: Place): Promise<"tls" | "plain" | "other" | "silent"> {
  const answer = await firstWords(place, SSL_REQUEST);
  if (answer === "S") {
    return "tls";
  }
  if (answer === "N" || answer.startsWith("E\0")) {
    return "plain";
  }
  return answer === "" ? "silent" : "other";
}

/** `tls`: whatever it speaks, it speaks inside TLS. */
export async function askAmqp(place: Place): Promise<"amqp" | "tls" | "other" | "silent"> {
  // Nothing is said inside TLS, so it need not prove who it is.
  const inTls = ask<boolean>(place, { rejectUnauthorized: false }, (_, done) => done(true));
  const [answer, tls] = await Promise.all([firstWords(place, AMQP_HEADER), inTls]);
  if (answer.startsWith("\x01\0\0")) {
    return "amqp";
  }
  if (tls) {
    return "tls";
  }
  return answer === "" ? "silent" : "other";
}

async function firstWords(place: Place, greeting: Buffer): Promise<string> {
  const answer = await ask<string>(place, false, (socket, done) => {
    socket.once("data", (data) => done(data.toString("latin1")));
    socket.write(greeting);
  });
  return answer ?? "";
}

/** Talks to a port until `done`. Never fails. @returns undefined when it ends or falls silent before that. */
export function ask<T>(
  { host, port }: Place,
  tls: TlsOptions | false,
  talk: (socket: Socket, done: (answer: T | undefined) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const onConnect = () =>
      talk(socket, (answer) => {
        resolve(answer);
        socket.destroy();
      });
    const socket: Socket =
      tls === false ? connect(port, host, onConnect) : connectTls({ host, port, ...tls }, onConnect);
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(undefined));
  });
}

import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

/**
 * Asks a port what it speaks: for the moment when a driver has given up without a code that says why. A probe finds out; it
 * never fails.
 */
const ANSWER_MS = 2_000;
/** A PostgreSQL client's question whether the server has TLS: `S` and `N` are the answers, `E` that of a server in trouble. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
/** An AMQP 0-9-1 client's first words; a broker answers with a frame, or, if that is not its version, with its own header. */
const AMQP_HEADER = Buffer.from("AMQP\0\0\x09\x01", "latin1");

export interface Place {
  readonly host: string;
  readonly port: number;
}

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
  const [answer, tls] = await Promise.all([firstWords(place, AMQP_HEADER), speaksTls(place)]);
  if (answer.startsWith("\x01\0\0")) {
    return "amqp";
  }
  if (tls) {
    return "tls";
  }
  return answer === "" ? "silent" : "other";
}

function firstWords(place: Place, greeting: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(place.port, place.host, () => socket.write(greeting));
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.once("data", (data) => {
      resolve(data.toString("latin1"));
      socket.destroy();
    });
    socket.on("close", () => resolve(""));
  });
}

function speaksTls({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing is said to it, so it need not prove who it is.
    const socket = connectTls({ host, port, rejectUnauthorized: false }, () => {
      resolve(true);
      socket.destroy();
    });
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(false));
  });
}

import { AMQP_HEADER, ask } from "../probe.js";
import type { BrokerAddress } from "../settings/base.js";
import { tlsOptions } from "../tls.js";

const ANSWER_MS = 5_000;
const METHOD_FRAME = 1;
const FRAME_END = 0xce;
/** Class and method of AMQP 0-9-1's connection. */
const START = 0x000a_000a;
const START_OK = 0x000a_000b;
const TUNE = 0x000a_001e;
const TUNE_OK = 0x000a_001f;
const OPEN = 0x000a_0028;
const OPEN_OK = 0x000a_0029;
const CLOSE = 0x000a_0032;

export interface Reply {
  readonly code: number;
  readonly text: string;
}

/**
 * Why the broker does not let us in. It tells by a reply code and a text, which amqplib keeps to itself; so the opening
 * handshake is done once more, by hand.
 *
 * @returns undefined when it says nothing, or lets us in after all.
 */
export function askWhy(address: BrokerAddress): Promise<Reply | undefined> {
  const { RABBITMQ_HOST: host, RABBITMQ_PORT: port } = address;
  const tls = tlsOptions(address.RABBITMQ_SSLMODE, address.RABBITMQ_SSLROOTCERT, host);
  return ask<Reply>({ host, port }, tls, (socket, done) => {
    socket.setTimeout(ANSWER_MS);
    socket.write(AMQP_HEADER);
    let received = Buffer.alloc(0);
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= 7 && received.length >= received.readUInt32BE(3) + 8) {
        const end = received.readUInt32BE(3) + 7;
        const body = received.subarray(7, end);
        received = received.subarray(end + 1);
        const method = body.length >= 4 ? body.readUInt32BE(0) : 0;
        if (method === START) {
          socket.write(startOk(address));
        } else if (method === TUNE) {
          socket.write(frame(TUNE_OK, body.subarray(4)));
          socket.write(frame(OPEN, short(address.RABBITMQ_VHOST), short(""), Buffer.alloc(1)));
        } else if (method === CLOSE) {
          done(replyOf(body));
        } else if (method === OPEN_OK) {
          done(undefined);
        }
      }
    });
  });
}

function startOk({ RABBITMQ_USER, RABBITMQ_PASSWORD }: BrokerAddress): Buffer {
  // A refusal is told apart from a lost connection only for clients that say they understand it.
  const able = table("capabilities", table("authentication_failure_close", Buffer.from("t\x01", "latin1")));
  const login = Buffer.from(`\0${RABBITMQ_USER}\0${RABBITMQ_PASSWORD}`);
  return frame(START_OK, able.subarray(1), short("PLAIN"), long(login), short("en_US"));
}

function replyOf(body: Buffer): Reply {
  const length = body.readUInt8(6);
  return { code: body.readUInt16BE(4), text: body.toString("utf8", 7, 7 + length).replaceAll(/\s+/g, " ") };
}

function frame(method: number, ...args: Buffer[]): Buffer {
  const head = Buffer.alloc(11);
  const body = Buffer.concat(args);
  head.writeUInt8(METHOD_FRAME, 0);
  head.writeUInt32BE(body.length + 4, 3);
  head.writeUInt32BE(method, 7);
  return Buffer.concat([head, body, Buffer.from([FRAME_END])]);
}

function short(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function long(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A table of one field, as the value of another: its type first. */
function table(name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from("F"), long(Buffer.concat([short(name), value]))]);
}

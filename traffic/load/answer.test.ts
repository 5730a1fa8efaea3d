import { expect, it } from "vitest";
import { AnswerReader } from "./answer.js";

const CREATED = 'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{"a":1}';
const SHED =
  'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 21\r\n\r\n{"code":"OVERLOADED"}';

it.each([
  [CREATED, { status: 201, code: undefined, last: false }],
  [SHED, { status: 503, code: "OVERLOADED", last: true }],
  [SHED.replace("Connection: close", "connection: close"), { status: 503, code: "OVERLOADED", last: true }],
  ["HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n", { status: 204, code: undefined, last: false }],
])("is read whole, and in two pieces wherever it is cut: %j", (text, expected) => {
  const bytes = Buffer.from(text);
  const reader = new AnswerReader();
  expect(reader.read(bytes)).toEqual(expected);
  for (let cut = 1; cut < bytes.length; cut++) {
    // The buffer of the first piece holds something else by then.
    const first = Buffer.from(bytes.subarray(0, cut));
    expect(reader.read(first)).toBeUndefined();
    first.fill("x");
    expect(reader.read(bytes.subarray(cut))).toEqual(expected);
  }
});

it.each([
  ["more than was asked for", `${CREATED}HTTP/1.1`, "more came"],
  ["an answer without a length", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "Content-Length"],
])("%s is refused", (_, text, message) => {
  expect(() => new AnswerReader().read(Buffer.from(text))).toThrow(message);
});

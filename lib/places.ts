import { isIP } from "node:net";
import type { Place } from "./probe.js";

/** A name, an IPv4 address, an IPv6 address in brackets, or the folder of a socket; and a port. */
const ENTRY = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i;

/**
 * The places that a setting names: `host1:port1,host2`.
 *
 * @param list.port of those that name none
 * @throws Error when it is no such list.
 */
export function placesOf({ host: list, port }: Place): readonly [Place, ...Place[]] {
  return list.split(",").map((entry) => placeOf(entry.trim(), port)) as [Place, ...Place[]];
}

function placeOf(entry: string, port: number): Place {
  if (isIP(entry) === 6) {
    return { host: entry, port };
  }
  const [, address, name, own] = ENTRY.exec(entry) ?? [];
  const host = address ?? name;
  const place = { host: host ?? "", port: own === undefined ? port : Number(own) };
  if (host === undefined || place.port < 1 || place.port > 65_535) {
    throw new Error("is no list of hosts; it looks like db1,db2:5433,[::1]:5432");
  }
  return place;
}

/** As a message names it. */
export const placeText = ({ host, port }: Place) => `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** All of a list. */
export const placesText = (list: Place) => placesOf(list).map(placeText).join(",");

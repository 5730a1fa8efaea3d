import dns from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Networks that are not the public Internet: the special-purpose registries of IANA (RFC 6890), and all that is not allocated. */
const INTERNAL_IPV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared by customers of a provider
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, where clouds tell their secrets
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // relays to IPv6, gone
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
];
const PUBLIC_IPV6 = "2000::/3";
/** Of those: protocol assignments with Teredo, documentation, 6to4; through some of them IPv4 is reached. */
const INTERNAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

function listOf(family: "ipv4" | "ipv6", networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const internalIpv4 = listOf("ipv4", INTERNAL_IPV4);
const publicIpv6 = listOf("ipv6", [PUBLIC_IPV6]);
const internalIpv6 = listOf("ipv6", INTERNAL_IPV6);

/** Whether an IP address is one of the public Internet. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !internalIpv4.check(address, "ipv4");
    case 6:
      return publicIpv6.check(address, "ipv6") && !internalIpv6.check(address, "ipv6");
    default:
      return false;
  }
}

/** What becomes of an attempt whose target has no address but internal ones. */
export const ADDRESS_REFUSED = "ADDRESS_REFUSED";

/**
 * Resolves a name for a connection, which then goes to what was looked at here, whatever the name resolves to a moment later:
 * internal addresses are left out, and a name that has no others is refused.
 */
export const publicLookup =
  (lookup: typeof dns.lookup = dns.lookup): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const allowed = error === null ? found.filter(({ address }) => isPublic(address)) : [];
      const [first] = allowed;
      if (first === undefined) {
        const refused = Object.assign(new Error("it has internal addresses only"), { code: ADDRESS_REFUSED });
        done(error ?? refused, "", 0);
      } else if (options.all === true) {
        done(null, allowed);
      } else {
        done(null, first.address, first.family);
      }
    });
  };

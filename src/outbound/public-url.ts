import { IPv4, IPv6 } from "ipaddr.js";

/**
 * Which addresses a user may make the service call. What the URL parser makes of a text is judged, never the text, so
 * decimal, octal and hexadecimal spellings of an address are the address.
 */

/** Why `text` may not be called, or null when it may. `allowLoopback` is for local tests alone. */
export function refuseUrl(text: string, allowLoopback: boolean): string | null {
  const url = URL.parse(text);
  if (url === null) return "is not a URL";
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  const host = readHost(url.hostname);
  if (allowLoopback && isLoopback(host) && /^https?:$/.test(url.protocol)) return null;
  if (url.protocol !== "https:") return "must begin with https://";
  switch (host.kind) {
    case "ipv4":
      return isPublicIpv4(host.address) ? null : PRIVATE_ADDRESS;
    case "ipv6":
      return isPublicIpv6(host.address) ? null : PRIVATE_ADDRESS;
    case "name":
      return isPublicName(host.name) ? null : "must be a public host name";
  }
}

const PRIVATE_ADDRESS = "must not be a private or reserved address";

type Host =
  | { readonly kind: "ipv4"; readonly address: IPv4 }
  | { readonly kind: "ipv6"; readonly address: IPv6 }
  /** In lower case, without dots at its end. */
  | { readonly kind: "name"; readonly name: string };

/** `hostname` as the URL parser wrote it: an address of IPv4 in four decimal parts, one of IPv6 in brackets. */
function readHost(hostname: string): Host {
  if (hostname.startsWith("[")) return { kind: "ipv6", address: IPv6.parse(hostname.slice(1, -1)) };
  if (IPv4.isValidFourPartDecimal(hostname)) return { kind: "ipv4", address: IPv4.parse(hostname) };
  return { kind: "name", name: hostname.replace(/\.+$/, "") };
}

function isLoopback(host: Host): boolean {
  return host.kind === "name" ? host.name === "localhost" : host.address.range() === "loopback";
}

/** A cloud's own, though in no special range. Those of the others lie in link-local, shared, and reserved ranges. */
const AZURE_PLATFORM = "168.63.129.16";

/** `unicast` is what no registry has set aside. */
function isPublicIpv4(address: IPv4): boolean {
  return address.range() === "unicast" && address.toString() !== AZURE_PLATFORM;
}

/** All of IPv6 that is given to the public so far: RFC 4291, section 2.4. The rest holds IPv4 in many disguises. */
const GLOBAL_UNICAST = IPv6.parseCIDR("2000::/3");

/** Within it, `unicast` leaves out 6to4, Teredo and all else that IANA's registry of special addresses names. */
function isPublicIpv6(address: IPv6): boolean {
  return address.match(GLOBAL_UNICAST) && address.range() === "unicast" && !isIsatap(address);
}

/** An address that any network may make out of one of IPv4: RFC 5214, section 6.1. */
function isIsatap({ parts }: IPv6): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x0200);
}

/** Endings that the public name system does not have, and networks use for themselves. */
const PRIVATE_ENDINGS = new Set([
  // RFC 6761, RFC 6762, RFC 7686 and RFC 9476; `arpa` holds `home.arpa` and the like, and no site.
  ...["test", "localhost", "invalid", "example", "local", "onion", "alt", "arpa"],
  // Never to be given out, by resolution of ICANN: 2024-07-29 and, for their collisions, 2018-02-04.
  ...["internal", "home", "corp", "mail"],
  // In use without having been given out: RFC 6762, appendix G, and RFC 8244.
  ...["intranet", "private", "lan", "localdomain", "exit", "gnu", "i2p", "zkey", "bit"],
]);

/** Names of clouds' metadata services that look public. */
const METADATA_NAMES = new Set(["metadata.goog", "metadata.tencentyun.com"]);

/** The last label begins with a letter: one that does not may be read as a number, and the whole as an address. */
const DOMAIN_NAME = /^([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}$/;

function isPublicName(name: string): boolean {
  const ending = name.slice(name.lastIndexOf(".") + 1);
  return DOMAIN_NAME.test(name) && !PRIVATE_ENDINGS.has(ending) && !METADATA_NAMES.has(name);
}

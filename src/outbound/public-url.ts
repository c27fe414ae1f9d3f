import { IPv4, IPv6 } from "ipaddr.js";
import { text } from "../lifecycle/model/words/say.ts";

/**
 * Which addresses a user may make the service call. The parsed URL is judged and never its text, so an address is
 * recognized in decimal, octal and hexadecimal spelling alike.
 */

/** Why this URL may not be called, or null when it may. `allowLoopback` is only for local tests. */
export function refuseUrl(entered: string, allowLoopback: boolean): string | null {
  const url = URL.parse(entered);
  if (url === null) return text("must.be_url");
  if (url.username !== "" || url.password !== "") return text("must.hold_no_password");
  const host = readHost(url.hostname);
  if (allowLoopback && isLoopback(host) && /^https?:$/.test(url.protocol)) return null;
  if (url.protocol !== "https:") return text("must.be_https");
  switch (host.kind) {
    case "ipv4":
      return isPublicIpv4(host.address) ? null : PRIVATE_ADDRESS;
    case "ipv6":
      return isPublicIpv6(host.address) ? null : PRIVATE_ADDRESS;
    case "name":
      return isPublicName(host.name) ? null : text("must.be_public_host");
  }
}

const PRIVATE_ADDRESS = text("must.be_public_address");

type Host =
  | { readonly kind: "ipv4"; readonly address: IPv4 }
  | { readonly kind: "ipv6"; readonly address: IPv6 }
  /** In lower case, without trailing dots. */
  | { readonly kind: "name"; readonly name: string };

/** `hostname` as the URL parser writes it: IPv4 in four decimal parts, IPv6 in brackets. */
function readHost(hostname: string): Host {
  if (hostname.startsWith("[")) return { kind: "ipv6", address: IPv6.parse(hostname.slice(1, -1)) };
  if (IPv4.isValidFourPartDecimal(hostname)) return { kind: "ipv4", address: IPv4.parse(hostname) };
  return { kind: "name", name: hostname.replace(/\.+$/, "") };
}

function isLoopback(host: Host): boolean {
  return host.kind === "name" ? host.name === "localhost" : host.address.range() === "loopback";
}

/** Azure's own service, in no special range. Those of other clouds are in link-local, shared and reserved ranges. */
const AZURE_PLATFORM = "168.63.129.16";

/** `unicast` means that no registry has set the address aside. */
function isPublicIpv4(address: IPv4): boolean {
  return address.range() === "unicast" && address.toString() !== AZURE_PLATFORM;
}

/** All of IPv6 that is in public use so far: RFC 4291, section 2.4. The rest embeds IPv4 addresses in many forms. */
const GLOBAL_UNICAST = IPv6.parseCIDR("2000::/3");

/** Within that, `unicast` excludes 6to4, Teredo and whatever else IANA's registry of special addresses lists. */
function isPublicIpv6(address: IPv6): boolean {
  return address.match(GLOBAL_UNICAST) && address.range() === "unicast" && !isIsatap(address);
}

/** An address that any network can derive from an IPv4 address: RFC 5214, section 6.1. */
function isIsatap({ parts }: IPv6): boolean {
  return parts[5] === 0x5efe && (parts[4] === 0 || parts[4] === 0x0200);
}

/** Endings that do not exist in public DNS, and that networks use internally. */
const PRIVATE_ENDINGS = new Set([
  // RFC 6761, RFC 6762, RFC 7686 and RFC 9476; `arpa` holds `home.arpa` and the like, and no site.
  ...["test", "localhost", "invalid", "example", "local", "onion", "alt", "arpa"],
  // Never to be delegated, as ICANN resolved on 2024-07-29 and, because of collisions, on 2018-02-04.
  ...["internal", "home", "corp", "mail"],
  // In use without having been delegated: RFC 6762, appendix G, and RFC 8244.
  ...["intranet", "private", "lan", "localdomain", "exit", "gnu", "i2p", "zkey", "bit"],
]);

/** Names of clouds' metadata services that look public. */
const METADATA_NAMES = new Set(["metadata.goog", "metadata.tencentyun.com"]);

/** The last label begins with a letter. Otherwise it may be read as a number, and the whole name as an address. */
const DOMAIN_NAME = /^([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}$/;

function isPublicName(name: string): boolean {
  const ending = name.slice(name.lastIndexOf(".") + 1);
  return DOMAIN_NAME.test(name) && !PRIVATE_ENDINGS.has(ending) && !METADATA_NAMES.has(name);
}

import { isValid, parse } from "ipaddr.js";

/**
 * Which addresses a user may make the service call. What the URL parser makes of a text is judged, never the text, so
 * decimal, octal and hexadecimal spellings of an address are the address.
 */

/** Why `text` may not be called, or null when it may. `allowLoopback` is for local tests alone. */
export function refuseUrl(text: string, allowLoopback: boolean): string | null {
  const url = URL.parse(text);
  if (url === null) return "is not a URL";
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (allowLoopback && isLoopback(host) && /^https?:$/.test(url.protocol)) return null;
  if (url.protocol !== "https:") return "must begin with https://";
  if (isValid(host)) {
    // `unicast` alone is public: not loopback, private, link-local, metadata, carrier-grade NAT, reserved, or one of
    // these mapped or tunnelled into IPv6.
    return parse(host).range() === "unicast" ? null : "must not be a private or reserved address";
  }
  if (!host.includes(".") || /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/.test(host)) {
    return "must be a public host name";
  }
  return null;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || (isValid(host) && parse(host).range() === "loopback");
}

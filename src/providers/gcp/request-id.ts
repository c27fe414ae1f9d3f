import type { Target } from "../provider.ts";

/** The namespace of URLs: RFC 9562, section 6.6. */
const NAMESPACE = "6ba7b8119dad11d180b400c04fd430c8";

/**
 * The id of a request, by which Google knows a repetition. It is a name-based UUID (version 5), because Google takes
 * nothing but a UUID: the same action asks a machine for the same thing with the same id, and for anything else with
 * another.
 */
export async function requestIdOf({ actionId, ref }: Target, what: string): Promise<string> {
  const name = new TextEncoder().encode(`dumont:${JSON.stringify([actionId, ref, what])}`);
  const namespace = (NAMESPACE.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", Uint8Array.from([...namespace, ...name])));
  const bytes = [...hash.slice(0, 16)].map((byte, index) => {
    if (index === 6) return (byte & 0x0f) | 0x50;
    return index === 8 ? (byte & 0x3f) | 0x80 : byte;
  });
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

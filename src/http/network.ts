/** The groups of an IPv6 address by which its network is told: who has one has all addresses in it. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** Where a request comes from, as limits count it: an IPv4 address, or the /64 network of an IPv6 one. */
export function networkOf(address: string | undefined): string {
  if (address === undefined || address === "") return "unknown";
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = [], tail] = address.toLowerCase().split("::").map(groupsOf);
  const left = tail === undefined ? 0 : Math.max(0, GROUPS - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: left }, () => "0"), ...(tail ?? [])];
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":").map((group) => group.replace(/^0+(?=.)/, ""));
}

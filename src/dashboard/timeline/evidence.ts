/** What stands behind an event, as sentences with their parts. What no sentence tells is left over. Pure. */

export type Fact =
  | {
      readonly is: "idle";
      readonly metric: string;
      readonly highest: number | null;
      readonly threshold: number;
      readonly since: string;
      readonly heartbeats: number | null;
    }
  | { readonly is: "model"; readonly gigabytes: number }
  | { readonly is: "silent"; readonly since: string }
  | { readonly is: "orphaned"; readonly since: string }
  | { readonly is: "kept_alive"; readonly until: string }
  | { readonly is: "next"; readonly at: string }
  | { readonly is: "rule"; readonly path: string }
  | { readonly is: "confirmed"; readonly by: string }
  | { readonly is: "other"; readonly name: string; readonly value: string };

/** These are told by what an event says of money, or are of no use to people. */
const UNSAID = new Set([
  "rate",
  "running_cost",
  "hibernated_cost",
  "would_save_hourly",
  "saves_hourly",
  "wasted",
  "cost_total",
  "wasted_total",
  "unknown_rates",
  "action_id",
  "flapping",
  "repeated",
  "announced",
]);

export function factsOf(detail: Readonly<Record<string, unknown>>): readonly Fact[] {
  const told = new Set<string>(UNSAID);
  const text = (name: string) =>
    take(detail, told, name, (value) => (typeof value === "string" ? value : null));
  const number = (name: string) =>
    take(detail, told, name, (value) => (typeof value === "number" ? value : null));
  const facts: Fact[] = [];
  const idleSince = momentOf(detail.idle_since);
  const threshold = detail.threshold_percent;
  if (idleSince !== null && typeof threshold === "number" && typeof detail.metric === "string") {
    for (const name of ["idle_since", "threshold_percent", "metric"]) told.add(name);
    facts.push({
      is: "idle",
      metric: detail.metric,
      highest: number("highest_percent"),
      threshold,
      since: idleSince,
      heartbeats: number("heartbeats"),
    });
  }
  const model = number("resident_model_gb");
  if (model !== null) facts.push({ is: "model", gigabytes: model });
  const moment = (name: string, fact: (iso: string) => Fact) => {
    const at = momentOf(detail[name]);
    if (at === null) return;
    told.add(name);
    facts.push(fact(at));
  };
  moment("last_heartbeat", (since) => ({ is: "silent", since }));
  moment("orphaned_since", (since) => ({ is: "orphaned", since }));
  moment("keep_alive_until", (until) => ({ is: "kept_alive", until }));
  moment("step_at", (at) => ({ is: "next", at }));
  const by = text("confirmed_by");
  if (by !== null) facts.push({ is: "confirmed", by });
  const rule = text("rule");
  if (rule !== null) facts.push({ is: "rule", path: rule });
  for (const [name, value] of Object.entries(detail)) {
    if (told.has(name) || value === null) continue;
    // An object may hold a `toString` that is no function.
    facts.push({
      is: "other",
      name,
      value: typeof value === "object" ? JSON.stringify(value) : String(value),
    });
  }
  return facts;
}

function take<T>(
  detail: Readonly<Record<string, unknown>>,
  told: Set<string>,
  name: string,
  read: (value: unknown) => T | null,
): T | null {
  const value = read(detail[name]);
  if (value !== null) told.add(name);
  return value;
}

function momentOf(value: unknown): string | null {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : null;
}

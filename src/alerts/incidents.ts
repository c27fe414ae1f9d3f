import type { Severity } from "../lifecycle/model/history-event.ts";
import { ANYBODY } from "../lifecycle/model/words/said.ts";
import { type Alert, composeNotice, type Notice } from "./notice.ts";
import { endsOf, problemOf } from "./problems.ts";

/** What a channel is told that keeps an incident for each problem, and so must hear of each: pure. */

/** So many incidents are opened or resolved by one message: each is a call of its own, and all have to be made within one try. */
const PER_MESSAGE = 25;

/** As many messages as it takes, the most pressing first. What concerns one instance stays together, as its last word counts. */
export function composeIncidents(alerts: readonly Alert[], minimum: Severity, reader = ANYBODY): Notice[] {
  const parts: { readonly alerts: Alert[]; size: number }[] = [];
  for (const ofOne of byPressure(Map.groupBy(alerts, ({ instanceId, eventId }) => instanceId || eventId))) {
    const size = ofOne.reduce((sum, { kind }) => sum + incidentsOf(kind), 0);
    const last = parts.at(-1);
    if (last !== undefined && last.size + size <= PER_MESSAGE) {
      last.alerts.push(...ofOne);
      last.size += size;
    } else parts.push({ alerts: [...ofOne], size });
  }
  return parts
    .map((part) => composeNotice(part.alerts, minimum, true, reader))
    .filter((notice): notice is Notice => notice !== null);
}

function byPressure(groups: ReadonlyMap<string, readonly Alert[]>): (readonly Alert[])[] {
  const rank = (of: readonly Alert[]) =>
    of.some(({ severity }) => severity === "critical")
      ? 0
      : of.some(({ kind }) => problemOf(kind) !== null)
        ? 1
        : 2;
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

function incidentsOf(kind: string): number {
  return endsOf(kind).length + (problemOf(kind) === null ? 0 : 1);
}

import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { messageOf } from "../lifecycle/model/outbox.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { hashText } from "../platform/hash.ts";
import { calledMachine, type HeldClaim } from "../providers/machines.ts";
import { machineIn, type Report } from "./report.ts";
import type { FleetEvent, RecentEvents } from "./tables/events.ts";
import type { Machines } from "./tables/machines.ts";

/**
 * What an instance holds follows what it watches. A machine that it lets go was left by a change of its owner. If not, the instance
 * was set back to before it had that machine, or what its owner asked came to nothing: nobody watches it, and it may run.
 */

/** Holds what the instance watches, and releases the rest. Returns what its owner must hear of that. */
export function settleMachines(
  { machines, events }: { readonly machines: Machines; readonly events: RecentEvents },
  report: Report,
  now: number,
): HistoryEvent[] {
  const { instanceId, row } = report;
  if (row.view.status === "deleted") {
    machines.releaseAll(instanceId);
    return [];
  }
  const watched = calledMachine(machineIn(row.view, instanceId));
  const released = machines.settle(instanceId, watched, now);
  if (released.length === 0) return [];
  const since = Math.min(...released.map(({ claimedAt }) => claimedAt));
  const changes = [...report.events, ...events.changesOf(instanceId, since)];
  return released
    .filter(({ claimedAt }) => !changes.some((one) => one.at >= claimedAt && ledToMachine(one, report)))
    .map((claim) => unwatched(report, claim, now));
}

/** Whether its owner has changed the instance to the machine that it watches now. Whatever it held before was left by that. */
function ledToMachine(
  { kind, detail }: Pick<FleetEvent, "kind" | "detail">,
  { row: { view } }: Report,
): boolean {
  const { provider = view.provider, providerRef = view.provider_ref } = detail;
  const isOfMachine = detail.provider !== undefined || detail.providerRef !== undefined;
  return kind === "changed" && isOfMachine && provider === view.provider && providerRef === view.provider_ref;
}

function unwatched(
  { instanceId, row: { view } }: Report,
  { provider, ref }: HeldClaim,
  now: number,
): HistoryEvent {
  const watched = `${view.provider} ${view.provider_ref ?? instanceId}`;
  return {
    id: `let-go-${hashText(`${provider}/${ref}`).toString(36)}`,
    at: now,
    kind: "unwatched",
    severity: "warning",
    ...messageOf(phrase("fleet.let_go", { machine: `${provider} ${ref}`, name: view.name, watched })),
    detail: { provider, provider_ref: ref, instance_id: instanceId },
  };
}

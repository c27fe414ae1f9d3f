import type { ChannelRecord } from "../alerts/channels/record.ts";
import type { SealedChannel } from "../alerts/channels/registry.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { PolicyOverrides } from "../lifecycle/model/policy-settings.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import type { NewConnection, SealedCredentials } from "../providers/connections.ts";
import type { Fleet } from "./fleet.ts";
import type { UserPolicy } from "./report.ts";
import { type BudgetSettings, hasLimit, settingsOf } from "./rules/budget.ts";
import { type CountedMonths, NO_MONTHS } from "./rules/months.ts";
import { withBudgetDoubted } from "./rules/set-back.ts";
import { BRINGING_RESUMES_MS, type FleetState, withDue } from "./rules/state.ts";
import { EVENTS_KEPT_MS } from "./tables/event-bounds.ts";

/** What a fleet brings along in an export, apart from its instances. */

export interface ExportedChannel {
  readonly channel: Omit<ChannelRecord, "lastDelivery">;
  readonly sealed: SealedChannel;
}

/** `kind`: the id of the connection, as a fleet of the former release calls it, which has no more to say of it. */
export interface ExportedCredentials extends SealedCredentials {
  readonly kind: string;
  readonly connection?: NewConnection;
}

export interface ExportedFleet {
  readonly policy: UserPolicy;
  readonly hibernations: FleetState["hibernations"];
  /** A fleet of the former release has none. */
  readonly hibernationsByMonth?: CountedMonths;
  /** Absent without one; a fleet of the former release has none. */
  readonly budget?: BudgetSettings | undefined;
  readonly channels: readonly ExportedChannel[];
  readonly credentials: readonly ExportedCredentials[];
}

export function exportedFleet({ state, channels, connections }: Fleet): ExportedFleet {
  return {
    policy: state.policy,
    hibernations: state.hibernations,
    hibernationsByMonth: state.hibernationsByMonth,
    budget: hasLimit(state.budget) ? settingsOf(state.budget) : undefined,
    channels: channels.list().flatMap(({ lastDelivery: _, ...channel }) => {
      const sealed = channels.sealed(channel.id);
      return sealed === null ? [] : [{ channel, sealed }];
    }),
    credentials: connections.list().flatMap((connection) => {
      const kept = connections.credentials(connection.id);
      if (kept === null) return [];
      const { id, kind, name, createdAt } = connection;
      return [
        { kind: id, sealed: kept.sealed, setAt: kept.setAt, connection: { id, kind, name, createdAt } },
      ];
    }),
  };
}

/**
 * Takes a budget on, unless there is one here. What was spent and done elsewhere is not known: so it waits, and is as careful, as
 * after a restore.
 */
export function bringBudget(fleet: Fleet, settings: BudgetSettings, now: number): boolean {
  return fleet.change((state) => {
    if (hasLimit(state.budget) || !hasLimit(settings)) return { state, result: false };
    const budget = { ...state.budget, ...settings };
    return { state: withBudgetDoubted({ ...state, budget }, now), result: true };
  });
}

/** Whether its owner, or an import, has set the policy here. A suspension or a restore, which grow the version too, are no such thing. */
function isSetHere({ policy, isPolicySet }: FleetState): boolean {
  return isPolicySet || Object.keys(policy.overrides).length > 0;
}

/** Whether instances whose owner had set this version of the policy find it here, or one that was set here. */
export function hasPolicyFor({ state }: Fleet, version: number): boolean {
  return version === 0 || isSetHere(state);
}

/** Takes the policy on, unless one was set here, and the counts of hibernations, unless some were counted here. */
export function bringSettings(
  fleet: Fleet,
  { overrides, version }: { readonly overrides: PolicyOverrides; readonly version: number },
  hibernations: FleetState["hibernations"],
  byMonth: CountedMonths | undefined,
  now: number,
): boolean {
  return fleet.change((state) => {
    const isNew = version > 0 && !isSetHere(state);
    const isUncounted = Object.keys(state.hibernations).length === 0 && Object.keys(hibernations).length > 0;
    if (!isNew && !isUncounted) return { state, result: false };
    const hibernationsByMonth = byMonth ?? { ...NO_MONTHS, since: now };
    const counted = isUncounted ? { ...state, hibernations, hibernationsByMonth } : state;
    // Whether the user is suspended here stays as it is, and instances take newer versions only.
    const policy = { ...state.policy, overrides, version: Math.max(version, state.policy.version + 1) };
    const set = isNew ? { ...counted, policy, policySetAt: now, isPolicySet: true } : counted;
    // No digest has the id of one that was told before.
    const next = { ...set, digests: Math.max(set.digests, Math.floor(now / SECOND_MS)) };
    const due = isNew ? { policy: { at: now + BRINGING_RESUMES_MS, after: "" } } : {};
    return { state: withDue(next, due), result: true };
  });
}

interface BroughtEvent {
  readonly instanceId: string | null;
  readonly event: HistoryEvent;
}

/** Adds events that are told already, so that the list of recent ones goes on. Those that are old enough to be forgotten are left out. */
export function bringEvents(fleet: Fleet, events: readonly BroughtEvent[], now: number): void {
  const recent = events.filter(({ event }) => event.at > now - EVENTS_KEPT_MS);
  fleet.update((state) => recent.reduce((each, one) => bringEvent(fleet, each, one, now), state));
}

function bringEvent(
  fleet: Fleet,
  state: FleetState,
  { instanceId, event }: BroughtEvent,
  now: number,
): FleetState {
  const revision = state.revision + 1;
  if (!fleet.events.add(revision, instanceId, event, false)) return state;
  return withDue({ ...state, revision }, { pruneAt: state.due.pruneAt ?? now + EVENTS_KEPT_MS });
}

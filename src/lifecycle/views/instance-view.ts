import { averageGpuPercent, missedHeartbeats, uptimePercent } from "../model/counters.ts";
import { type HibernatedCost, hibernatedCost } from "../model/hibernated-cost.ts";
import { orphanedSince, type Status } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { PolicySettings } from "../model/policy-settings.ts";
import { connectionOf, kindOf, type ProviderKind } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import type { Tags } from "../model/tags.ts";
import { SECOND_MS, toIso } from "../model/time.ts";
import { type Trend, trendAfterSilence } from "../model/trend.ts";
import { type WayOnView, waysOnViews } from "../model/ways-on.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Language, Reader, Said } from "../model/words/said.ts";
import { say } from "../model/words/say.ts";
import { idleWarning } from "../rules/idleness.ts";
import { hasVanished } from "../rules/look.ts";
import { describeReclaimed } from "../rules/reclaim.ts";
import { sayResidentModel } from "../rules/resident-model.ts";
import { unheardAlert } from "../rules/unheard-warning.ts";
import { type ConnectionStanding, type Control, controlOf, withoutImpossible } from "./control.ts";
import { type CostsInAllView, type CostsView, costsInAllView, costsView, runningCost } from "./costs.ts";
import type { Explanation } from "./explained-step.ts";
import { explain, reasonOf } from "./explanation.ts";
import { type Health, healthOf } from "./health.ts";
import { type HeartbeatView, heartbeatView } from "./heartbeat-view.ts";
import { type PreparationView, preparationView } from "./preparation-view.ts";
import { type StoppedRisks, stoppedRisks } from "./stopped-risks.ts";
import { type GpuView, gpuViews, type UseView, useView } from "./use-view.ts";

/** One line of the live list. The field names are those of the HTTP API. */
export interface LiveView extends CostsView {
  readonly instance_id: string;
  readonly name: string;
  readonly status: Status;
  readonly last_heartbeat: string | null;
  readonly seconds_since_heartbeat: number | null;
  readonly health: Health;
  readonly gpu_utilization: number | null;
  /** Percent in each of the last sixty intervals, oldest first; null where no GPU was reported. */
  readonly gpu_trend: Trend;
  readonly alert?: string;
  readonly provider: ProviderKind;
  /** By which of the user's connections it is called; null where nobody is called. */
  readonly connection: string | null;
  readonly provider_ref: string | null;
  readonly hourly_cost: number | null;
  readonly hibernated_hourly_cost: number | null;
  /** Dollars an hour that it costs while it runs, by whoever says it; null while that is unknown. */
  readonly running_cost: number | null;
  /** Dollars an hour that it costs while it is hibernated; null while that is unknown. */
  readonly hibernated_cost: number | null;
  /** Whose word that is: its owner's (`hibernated_hourly_cost`), or its provider's. */
  readonly hibernated_cost_source: HibernatedCost["source"];
  readonly tags: Tags;
  readonly registered_at: string;
  readonly orphaned_since: string | null;
  readonly hibernated_since: string | null;
  readonly keep_alive_until: string | null;
  /** Whether its policy acts, or only observes. */
  readonly mode: PolicySettings["mode"];
  readonly lifecycle: Explanation;
}

/** A view as it is answered: what can be done about the instance depends on its connection too, of which it knows nothing. */
export type Shown<View extends LiveView> = View & { readonly control: Control };

export type ShownView = Shown<LiveView>;

/** The view, where the connection stands so by which its provider is called. */
export function shown<View extends LiveView>(view: View, connection: ConnectionStanding): Shown<View> {
  const control = controlOf(view, connection);
  return { ...view, control, lifecycle: withoutImpossible(view.lifecycle, control) };
}

/** How many of the newest heartbeats the detail shows. */
const SHOWN_HEARTBEATS = 20;

/** One instance in full. */
export interface DetailView extends LiveView, CostsInAllView {
  readonly total_heartbeats: number;
  readonly first_heartbeat: string | null;
  readonly uptime_percent: number | null;
  readonly missed_heartbeats: number;
  readonly avg_gpu_utilization: number | null;
  readonly cost_accumulated: number | null;
  /** What stopping the machine risks, or what it risks while it is stopped. */
  readonly stopped_risks: StoppedRisks;
  readonly wake_failed: WakeFailedView | null;
  /** Its hooks prepare it for its hibernation. */
  readonly preparation: PreparationView | null;
  readonly reclaimed: ReclaimedView | null;
  readonly gpus: readonly GpuView[];
  readonly use: UseView | null;
  readonly recent_heartbeats: readonly HeartbeatView[];
}

/** Its provider takes the machine back, or has. */
export interface ReclaimedView {
  readonly by: string | null;
  readonly action: string | null;
  readonly at: string;
  readonly ends_at: string | null;
}

/** The last wake of a hibernated instance has failed. */
export interface WakeFailedView {
  readonly at: string;
  readonly because: string;
  /** It is not known whether its start was cancelled: the provider is asked until it is. */
  readonly may_start: boolean;
  /** What its owner can do. */
  readonly ways_on: readonly WayOnView[];
}

export function liveView(
  instanceId: string,
  state: InstanceState,
  policy: Policy,
  now: number,
  to: Language | Reader = "en",
): LiveView {
  const { clock, phase, profile } = state;
  const silenceMs = clock.lastHeartbeatAt === null ? null : now - clock.lastHeartbeatAt;
  const alert = alertOf(state, policy, now);
  const health = healthOf(state, policy, now);
  const provider = kindOf(profile.provider);
  const control = controlOf({ provider, status: phase.status, health }, "active");
  const hibernated = hibernatedCost(state);
  return {
    instance_id: instanceId,
    name: profile.name,
    status: phase.status,
    last_heartbeat: isoOrNull(clock.lastHeartbeatAt),
    seconds_since_heartbeat: silenceMs === null ? null : Math.floor(silenceMs / SECOND_MS),
    health,
    // The last reading of an instance that does not run is out of date.
    gpu_utilization: phase.status === "running" ? (state.recent.at(-1)?.gpuPercent ?? null) : null,
    gpu_trend: trendAfterSilence(state.gpuTrend, silenceMs, policy.intervalMs),
    ...costsView(state, policy, now),
    ...(alert === null ? {} : { alert: say(to, alert) }),
    provider,
    connection: connectionOf(profile.provider),
    provider_ref: profile.providerRef,
    hourly_cost: profile.hourlyCost,
    hibernated_hourly_cost: profile.hibernatedHourlyCost,
    running_cost: runningCost(state, now),
    hibernated_cost: hibernated.hourly,
    hibernated_cost_source: hibernated.source,
    tags: profile.tags ?? {},
    registered_at: toIso(profile.registeredAt),
    orphaned_since: isoOrNull(orphanedSince(phase)),
    hibernated_since: phase.status === "hibernated" ? toIso(phase.since) : null,
    keep_alive_until:
      clock.keepAliveUntil !== null && clock.keepAliveUntil > now ? toIso(clock.keepAliveUntil) : null,
    mode: policy.observes ? "observe" : "act",
    lifecycle: withoutImpossible(explain(state, policy, now, to), control),
  };
}

export function detailView(
  instanceId: string,
  state: InstanceState,
  policy: Policy,
  now: number,
  to: Language | Reader = "en",
): DetailView {
  const { counters } = state;
  const live = liveView(instanceId, state, policy, now, to);
  const missed = missedHeartbeats(counters, policy.intervalMs, now);
  return {
    ...live,
    lifecycle: {
      ...live.lifecycle,
      because: say(to, withResidentModel(reasonOf(state, policy, now).because, state, now)),
    },
    total_heartbeats: counters.totalHeartbeats,
    first_heartbeat: isoOrNull(counters.firstHeartbeatAt),
    uptime_percent: uptimePercent(counters.totalHeartbeats, missed),
    missed_heartbeats: missed,
    avg_gpu_utilization: averageGpuPercent(counters),
    cost_accumulated: counters.cost.accumulated,
    stopped_risks: stoppedRisks(state.profile.provider, hibernatedCost(state).hourly, to),
    wake_failed: wakeFailedView(instanceId, state, to),
    preparation: preparationView(state),
    reclaimed: reclaimedView(state),
    ...costsInAllView(state, policy, now),
    gpus: gpuViews(state),
    use: useView(state, policy),
    recent_heartbeats: state.recent.slice(-SHOWN_HEARTBEATS).map(heartbeatView).reverse(),
  };
}

function reclaimedView({ reclaimed }: InstanceState): ReclaimedView | null {
  if (reclaimed === undefined) return null;
  const { by, action, at, endsAt } = reclaimed;
  return { by, action, at: toIso(at), ends_at: isoOrNull(endsAt) };
}

/** Not in the list, whose rows are as old as what the instance last reported to it. */
function withResidentModel(because: Said, state: InstanceState, now: number): Said {
  const resident = state.phase.status === "running" ? sayResidentModel(state, now) : "";
  return resident === "" ? because : phrase("because.resident_model", { because, resident });
}

function wakeFailedView(
  instanceId: string,
  { phase, profile }: InstanceState,
  to: Language | Reader,
): WakeFailedView | null {
  if (phase.status !== "hibernated" || phase.wakeFailed === undefined) return null;
  const { at, because } = phase.wakeFailed;
  return {
    at: toIso(at),
    because: say(to, because),
    may_start: phase.openLook?.because === "wake",
    ways_on: waysOnViews(instanceId, profile.provider, profile.providerRef, to),
  };
}

/** What a line of the list says in words, for any reader. */
export interface LineWords {
  readonly because: Said;
  /** Left out: the line has no alert. */
  readonly alert?: Said;
}

/** What `liveView` says at this moment, before it is worded. */
export function lineWords(state: InstanceState, policy: Policy, now: number): LineWords {
  const alert = alertOf(state, policy, now);
  const { because } = reasonOf(state, policy, now);
  return alert === null ? { because } : { because, alert };
}

function alertOf(state: InstanceState, policy: Policy, now: number): Said | null {
  const { phase, clock } = state;
  const isUnseen = phase.status === "pending" || phase.status === "hibernated";
  if (isUnseen && hasVanished(state)) return phrase("silence.alert_vanished");
  if (phase.status === "pending" && phase.orphan !== undefined) return unheardAlert(state);
  if (phase.status === "orphaned") {
    return clock.lastHeartbeatAt === null
      ? phrase("silence.alert_no_heartbeat_ever")
      : silentFor(now - clock.lastHeartbeatAt);
  }
  const reclaimed = describeReclaimed(state, policy);
  if (reclaimed !== null) return phrase("because.alert", { because: reclaimed });
  if (phase.status === "running" && phase.idle?.warnedAt != null) {
    return idleWarning(state, phase.idle, policy, now);
  }
  return null;
}

/** Always in minutes, as the product's specification words it; in seconds under one minute. */
function silentFor(silence: number): Said {
  const minutes = Math.floor(silence / (60 * SECOND_MS));
  return minutes === 0
    ? phrase("silence.alert_seconds", { silence })
    : phrase("silence.alert_minutes", { minutes });
}

function isoOrNull(instantMs: number | null): string | null {
  return instantMs === null ? null : toIso(instantMs);
}

import { REPORT_LIMIT_MS } from "../fleet/report.ts";
import { chooseShard } from "../history/shards.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { Origin } from "../lifecycle/model/origin.ts";
import { newState } from "../lifecycle/model/state.ts";
import { storedOverridesSchema } from "../lifecycle/model/stored.ts";
import { detailView } from "../lifecycle/views/instance-view.ts";
import { fleetOf } from "../platform/address.ts";
import { logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";
import { BY_HAND } from "./enrollment.ts";
import { isLetGo, leftBy, NOTHING_LEFT } from "./leaving.ts";
import type { InstanceLife } from "./life.ts";
import {
  type Absent,
  type ChangeOutcome,
  type CommandOutcome,
  type Place,
  type ProfileChanges,
  type Registration,
  UNKNOWN,
  type Unavailable,
} from "./outcomes.ts";
import { issuesOf } from "./preview.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** What its owner asks of an instance. Each is decided on and saved before it is answered. */

export type RegisterOutcome =
  | { readonly outcome: "registered"; readonly tokenGeneration: number }
  /** `isLeaving`: it was removed, and the registry has not let go of it yet. */
  | { readonly outcome: "exists"; readonly isLeaving: boolean };

export type RotateOutcome =
  | { readonly outcome: "rotated"; readonly tokenGeneration: number }
  | Absent
  | Unavailable;

/** Registers an instance. What one that had this id and was removed still has to deliver, it delivers. */
export async function register(
  life: InstanceLife,
  env: Env,
  registration: Registration,
): Promise<RegisterOutcome> {
  if (life.unreadable() !== null || life.known() !== null) return { outcome: "exists", isLeaving: false };
  const former = life.stored();
  // Else the registry would let go of the new one.
  if (former !== null && !isLetGo(former)) return { outcome: "exists", isLeaving: true };
  const now = Date.now();
  const { enrollment } = registration;
  const idsAfter = Math.max(
    registration.idsAfter ?? 0,
    former?.state.nextEffectId ?? 0,
    former?.tokenGeneration ?? 0,
  );
  const firstId = Math.max(now, idsAfter + 1);
  const { profile, isChosenByOwner = true } = registration;
  const state = newState(
    { ...profile, registeredAt: now },
    firstId,
    isChosenByOwner ? "registered" : "unknown",
  );
  const left = former === null ? NOTHING_LEFT : leftBy(former);
  const stored: StoredInstance = {
    userId: registration.userId,
    instanceId: registration.instanceId,
    tokenGeneration: firstId,
    historyShard: former?.historyShard ?? chooseShard(env, registration.userId, registration.instanceId),
    overrides: storedOverridesSchema.parse(registration.overrides),
    userPolicy: storedOverridesSchema.parse(registration.userPolicy),
    userPolicyVersion: registration.userPolicyVersion,
    // Nobody is admitted to the fleet of a user who is.
    suspended: false,
    usedLinks: [],
    enrollment: enrollment === undefined ? null : { keyDigest: enrollment.keyDigest },
    state: { ...state, outbox: left.outbox },
    delivery: left.delivery,
  };
  const event = {
    type: "registered",
    sighted: registration.sighted,
    enrolledBy: enrollment?.by ?? null,
  } as const;
  const decided = await life.decide(stored, event, now, {
    former: stored.state,
    requestId: registration.requestId,
  });
  if (decided.outcome === "unavailable") throw new Error("the registration broke an invariant");
  await life.outbox.empty();
  return { outcome: "registered", tokenGeneration: firstId };
}

export async function change(
  life: InstanceLife,
  changes: ProfileChanges,
  origin: Origin = {},
): Promise<ChangeOutcome> {
  const stored = life.known();
  if (stored === null) return life.absence();
  const provider = changes.profile.provider ?? stored.state.profile.provider;
  const issues = issuesOf(stored, changes.overrides ?? stored.overrides, provider);
  if (issues.length > 0) return { outcome: "bad_policy", issues };
  const now = Date.now();
  const { tags, sighted = null } = changes;
  const profile = { ...changes.profile, ...(tags === undefined ? {} : { tags }) };
  const outcome =
    Object.keys(profile).length === 0
      ? null
      : await command(life, { type: "changed", changes: profile, sighted }, now, origin);
  if (outcome !== null && outcome.outcome !== "accepted") return outcome;
  if (changes.overrides !== undefined) {
    const withheld = await life.applyPolicy({ overrides: changes.overrides }, now);
    if (withheld !== null) return withheld;
  }
  await life.outbox.empty();
  return accepted(life, now);
}

/**
 * Issues a new generation of the instance's token; tokens of the former one are refused from now on. So is the machine that
 * enrolled it: whoever has its token may have its key too.
 */
export async function rotateToken(life: InstanceLife): Promise<RotateOutcome> {
  const stored = life.known();
  if (stored === null) return life.absence();
  const now = Date.now();
  const tokenGeneration = Math.max(now, stored.tokenGeneration + 1);
  const decided = await life.decide(
    { ...stored, tokenGeneration, enrollment: { keyDigest: BY_HAND } },
    { type: "token.rotated", enrolledBy: null },
    now,
  );
  if (decided.outcome === "unavailable") return decided;
  life.outbox.emptySoon();
  return { outcome: "rotated", tokenGeneration };
}

/**
 * Lets go of an instance whose row cannot be read. While the registry is out of reach the row stays, and the answer is
 * that it is unreadable.
 */
export async function removeUnreadable(
  life: InstanceLife,
  env: Env,
  { userId, instanceId }: Place,
): Promise<{ outcome: "removed" } | Absent> {
  const unreadable = life.unreadable();
  if (unreadable === null) return UNKNOWN;
  try {
    // Its own can't be read.
    const last = await within(REPORT_LIMIT_MS, fleetOf(env, userId).lastRevision(instanceId));
    await within(REPORT_LIMIT_MS, fleetOf(env, userId).remove(instanceId, last + 1));
  } catch (error) {
    const ids = { user_id: userId, instance_id: instanceId };
    logWarning("the registry did not let go of an unreadable instance", ids, error);
    return unreadable;
  }
  await life.forget();
  return { outcome: "removed" };
}

export async function command(
  life: InstanceLife,
  event: InstanceEvent,
  now = Date.now(),
  origin: Origin = {},
): Promise<CommandOutcome> {
  const stored = life.known();
  if (stored === null) return life.absence();
  const decided = await life.decide(stored, event, now, origin);
  if (decided.outcome === "unavailable") return decided;
  if (decided.refusal !== null) return { outcome: "refused", refusal: decided.refusal };
  life.outbox.emptySoon();
  return accepted(life, now);
}

function accepted(life: InstanceLife, now: number): CommandOutcome {
  const stored = life.stored();
  if (stored === null) return life.absence();
  const detail = detailView(stored.instanceId, stored.state, life.policy(stored), now);
  return { outcome: "accepted", detail };
}

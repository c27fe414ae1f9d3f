import { abilitiesOf, kindOf } from "../lifecycle/model/provider.ts";
import type { MachineKey } from "../providers/machines.ts";
import type { InstanceLife } from "./life.ts";
import type { EnrollmentAnswer, MachineEnrollment } from "./outcomes.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/**
 * How a machine that enrolls is given the token of an instance that is there already. Whoever has an enrollment token may claim
 * to be any machine, so an instance that was heard is given to nobody but the machine that enrolled it, by its key.
 */

/** In place of a key's digest: its owner has replaced the token by hand. No machine has such a key, so none is given the instance. */
export const BY_HAND = "by hand";

export interface EnrollingMachine extends MachineEnrollment {
  /** What it says that it is. */
  readonly machine: MachineKey;
}

/** `joins`: one that is free is the machine's from now on; otherwise nothing is changed. */
export async function enroll(
  life: InstanceLife,
  asking: EnrollingMachine,
  joins: boolean,
): Promise<EnrollmentAnswer> {
  const stored = life.known();
  if (stored === null) return life.absence();
  if (stored.enrollment?.keyDigest === asking.keyDigest) {
    return { outcome: "own", tokenGeneration: stored.tokenGeneration };
  }
  if (!isFree(stored, asking.machine)) return { outcome: "taken" };
  if (!joins) return { outcome: "free", tokenGeneration: stored.tokenGeneration };
  const now = Date.now();
  const tokenGeneration = Math.max(now, stored.tokenGeneration + 1);
  const { keyDigest, by } = asking;
  const decided = await life.decide(
    { ...stored, tokenGeneration, enrollment: { keyDigest } },
    { type: "token.rotated", enrolledBy: by },
    now,
  );
  if (decided.outcome === "unavailable") return decided;
  life.outbox.emptySoon();
  return { outcome: "own", tokenGeneration };
}

function isFree({ instanceId, enrollment, state }: StoredInstance, machine: MachineKey): boolean {
  const { phase, clock, counters, profile } = state;
  const wasHeard = clock.lastHeartbeatAt !== null || counters.totalHeartbeats > 0;
  if (wasHeard || enrollment !== null || phase.status !== "pending") return false;
  const ref = profile.providerRef ?? instanceId;
  if (abilitiesOf(profile.provider).reachesSilent) {
    return kindOf(profile.provider) === machine.provider && ref === machine.ref;
  }
  // Nobody has said where the machine is.
  return profile.providerRef === null || ref === machine.ref;
}

import { ApiError, unavailable, unreadable } from "../../http/errors.ts";
import type { EnrollingMachine } from "../../instance/enrollment.ts";
import type { EnrollmentAnswer } from "../../instance/outcomes.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import { actorOf, fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";

/** Which instance watches a machine that enrolls, and whether that is its own. */

export interface Found {
  readonly instanceId: string;
  readonly generation: number;
  /** Whether this machine has enrolled it; otherwise it is free. */
  readonly isOwn: boolean;
}

/**
 * The instance that watches this machine: of its id, or whoever has claimed it. Null when there is none. Throws 409 for one that
 * is another's, and tells its owner.
 */
export async function findInstance(
  env: Env,
  userId: string,
  machineId: string,
  machine: EnrollingMachine,
): Promise<Found | null> {
  const holder = await fleetOf(env, userId).holderOf(machine.machine);
  const candidates = new Set([machineId, ...(holder === null ? [] : [holder])]);
  let free: Found | null = null;
  let taken: string | null = null;
  for (const instanceId of candidates) {
    const answer = await askInstance(env, userId, instanceId, machine, false);
    switch (answer.outcome) {
      case "own":
        return { instanceId, generation: answer.tokenGeneration, isOwn: true };
      case "free":
        free ??= { instanceId, generation: answer.tokenGeneration, isOwn: false };
        break;
      case "taken":
        taken ??= instanceId;
        break;
      case "unknown":
        break;
    }
  }
  if (taken !== null) throw await isTaken(env, userId, taken, machine);
  return free;
}

/** Throws 503 for one that can't be read, or decide. An object of the former release knows of no enrollment. */
export async function askInstance(
  env: Env,
  userId: string,
  instanceId: string,
  machine: EnrollingMachine,
  joins: boolean,
) {
  const ask = async (): Promise<EnrollmentAnswer> => actorOf(env, userId, instanceId).enroll(machine, joins);
  const answer = await answerOr(ask(), null);
  switch (answer?.outcome) {
    case "own":
    case "free":
    case "taken":
    case "unknown":
      return answer;
    case "unreadable":
      throw unreadable();
    case "unavailable":
    case undefined:
      throw unavailable(60);
  }
}

export async function isTaken(
  env: Env,
  userId: string,
  instanceId: string,
  { by, machine }: EnrollingMachine,
): Promise<ApiError> {
  await answerOr(fleetOf(env, userId).noteRefusedEnrollment(instanceId, by, machine), undefined);
  return new ApiError("exists", phrase("error.enrollment_exists", { id: instanceId }));
}

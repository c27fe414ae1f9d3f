import type { Admission } from "../fleet/report.ts";
import { chooseShard } from "../history/shards.ts";
import type { BringOutcome } from "../instance/bring.ts";
import { readRow } from "../instance/stored/row.ts";
import type { StoredInstance } from "../instance/stored/stored-instance.ts";
import { actorOf, fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { within } from "../platform/within.ts";
import { calledMachine, claimMachine } from "../providers/machines.ts";
import type { LineOf } from "./lines.ts";
import { CALL_LIMIT_MS, type Import, KNOWN, refused, unreadIn } from "./taking.ts";

/** Takes an instance of an export in, unless there is one of its id, or it would live here by another policy than its owner's. */
export async function bringInstance(
  env: Env,
  target: Import,
  line: LineOf<"instance">,
): Promise<BringOutcome> {
  const { userId } = target;
  const { instance_id: instanceId, state } = line;
  if (state === null) return refused("its state could not be read when it was exported");
  const unread = unreadIn(state.overrides ?? {});
  if (unread !== null) return refused(`this version of the service cannot read its policy${unread}`);
  const row = JSON.stringify(state);
  const read = readRow(row);
  if (read.kind !== "stored") return refused(read.kind === "unreadable" ? read.because : "there is no state");
  if ((await within(CALL_LIMIT_MS, actorOf(env, userId, instanceId).live())) !== null) return KNOWN;
  const admission = await within(CALL_LIMIT_MS, fleetOf(env, userId).admit(instanceId));
  if (admission === null) return refused("the user has as many instances as a user may have");
  const admitted = { line, row, stored: read.stored, admission };
  const brought = await bringAdmitted(env, target, admitted);
  // Nobody waits for one that has not come.
  const { withdrawBy = null, formerAt = null } = admission;
  if (brought.outcome !== "brought" && withdrawBy !== null) {
    const withdrawn = fleetOf(env, userId).withdrawAdmission(instanceId, withdrawBy, formerAt);
    await within(CALL_LIMIT_MS, withdrawn);
  }
  return brought;
}

interface Admitted {
  readonly line: LineOf<"instance">;
  readonly row: string;
  /** The row as it was read. */
  readonly stored: StoredInstance;
  readonly admission: Admission;
}

async function bringAdmitted(
  env: Env,
  { userId, exportedAt }: Import,
  { line, row, stored, admission: { policy, idsAfter } }: Admitted,
): Promise<BringOutcome> {
  const { instance_id: instanceId } = line;
  if (idsAfter > 0) {
    return refused("it was here, and was removed since: register it anew if it is to be watched again");
  }
  const policyVersion = line.policy_version ?? stored.userPolicyVersion;
  const asked = fleetOf(env, userId).hasPolicyFor(policyVersion);
  const hasPolicy = answerOr(asked, policy.version >= policyVersion);
  if (!(await within(CALL_LIMIT_MS, hasPolicy))) {
    return refused("its owner's policy is not here: the line of the type fleet must be taken first");
  }
  const { profile, phase } = stored.state;
  const machine = calledMachine({ provider: profile.provider, ref: profile.providerRef ?? instanceId });
  if (machine !== null && phase.status !== "deleted") {
    const claim = await within(CALL_LIMIT_MS, claimMachine(env, userId, machine, instanceId));
    if (!claim.claimed) return refused(`its machine is watched by ${claim.holder}`);
  }
  const historyShard = chooseShard(env, userId, instanceId);
  const exported = { userId, instanceId, row, historyShard, policy, lastId: idsAfter, exportedAt };
  return within(CALL_LIMIT_MS, actorOf(env, userId, instanceId).bring(exported));
}

import type { ListEvent } from "../lifecycle/model/instance-event.ts";
import { hasVanished } from "../lifecycle/rules/look.ts";
import { sameMachine, type WatchedMachine } from "../providers/machines.ts";
import { command } from "./commands.ts";
import type { InstanceLife } from "./life.ts";
import { NOT_DECIDED } from "./outcomes.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/**
 * Takes what a list of its provider says of this machine. False where that counts for nothing yet, and is to be said again. The fleet
 * waits for this, so it must not wait for the fleet.
 */
export async function noteListed(
  life: InstanceLife,
  machine: WatchedMachine,
  event: ListEvent,
): Promise<boolean> {
  life.mustBeReadable();
  const stored = life.known();
  if (stored === null || !isWatchedBy(machine, stored)) return true;
  const { outcome } = await command(life, event);
  if (outcome === "unavailable") throw new Error(NOT_DECIDED);
  const state = life.known()?.state ?? null;
  return event.type === "machine.listed" || state === null || hasVanished(state);
}

function isWatchedBy(machine: WatchedMachine, { instanceId, state: { profile } }: StoredInstance): boolean {
  return sameMachine(machine, { provider: profile.provider, ref: profile.providerRef ?? instanceId });
}

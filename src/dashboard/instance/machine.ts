import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import {
  abilitiesOf,
  type CalledProvider,
  calledKind,
  type ProviderKind,
} from "../../lifecycle/model/provider.ts";
import { stopsSilent } from "../../lifecycle/model/stopping.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { type Parts, partsOf, referenceOf } from "./reference.ts";

/** The machine that an instance is to watch, as its owner enters it. Pure. */

export interface ChosenMachine {
  readonly provider: ProviderKind;
  /** The connection by which its provider is called; null where none is, or there is none yet. */
  readonly connection: string | null;
  readonly parts: Parts;
}

/** The machine that an instance watches. */
export function machineOf(
  instance: Pick<ShownView, "provider" | "connection" | "provider_ref" | "instance_id">,
): ChosenMachine {
  const { provider, connection, provider_ref, instance_id } = instance;
  const kind = calledKind(provider);
  const reference = provider_ref ?? instance_id;
  return {
    provider,
    connection,
    parts: kind === null ? {} : (partsOf(kind, reference) ?? { id: reference }),
  };
}

/** What the provider knows it by; empty where nobody is called, or it is not whole. */
export function referenceOfMachine({ provider, parts }: ChosenMachine): string {
  const kind = calledKind(provider);
  return kind === null ? "" : referenceOf(kind, parts);
}

export function isSameMachine(one: ChosenMachine, other: ChosenMachine): boolean {
  return (
    one.provider === other.provider &&
    one.connection === other.connection &&
    referenceOfMachine(one) === referenceOfMachine(other)
  );
}

/** The fields of a request that name it. */
export function machineFields(machine: ChosenMachine) {
  const { provider, connection } = machine;
  return calledKind(provider) === null
    ? { provider, connection: null, provider_ref: null }
    : { provider, connection, provider_ref: referenceOfMachine(machine) };
}

/** After how many days the policy asks this provider for a snapshot that it can't take; null when it does not. */
export function snapshotAfterDays(provider: ProviderKind, { orphan }: PolicySettings): number | null {
  const isAsked = stopsSilent(provider) && !abilitiesOf(provider).snapshots && orphan.snapshot_before_delete;
  return isAsked ? orphan.delete_after_days : null;
}

/** What is done in place of a deletion with a snapshot. */
export type WithoutSnapshot = "never" | "delete";

export function policyWithout(choice: WithoutSnapshot) {
  switch (choice) {
    case "never":
      return { delete_after_days: null };
    case "delete":
      return { snapshot_before_delete: false };
  }
}

/** A kind that is called. */
export function calledOf({ provider }: ChosenMachine): CalledProvider | null {
  return calledKind(provider);
}

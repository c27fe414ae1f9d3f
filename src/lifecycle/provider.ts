import { z } from "zod";

/**
 * Who carries an action out on an instance.
 * - `agent`: the instance hibernates itself when the answer to its heartbeat says so.
 * - `none`: nobody; the owner is told what would have happened.
 * - the others: an API that also reaches instances that are silent.
 */
export const providerKindSchema = z.enum(["agent", "none", "webhook", "vast", "runpod", "ec2"]);

export type ProviderKind = z.infer<typeof providerKindSchema>;

/** What a kind of provider can do: the lifecycle never asks for more. */
export interface ProviderAbilities {
  /** How an order to hibernate reaches an instance that beats. */
  readonly hibernates: "by answer" | "by call" | "never";
  /** Reaches silent instances: hibernate, force-hibernate, wake, snapshot, delete. */
  readonly reachesSilent: boolean;
  readonly snapshots: boolean;
}

const CALLED: ProviderAbilities = { hibernates: "by call", reachesSilent: true, snapshots: true };

const ABILITIES: Record<ProviderKind, ProviderAbilities> = {
  agent: { hibernates: "by answer", reachesSilent: false, snapshots: false },
  none: { hibernates: "never", reachesSilent: false, snapshots: false },
  webhook: CALLED,
  vast: { ...CALLED, snapshots: false },
  runpod: { ...CALLED, snapshots: false },
  ec2: CALLED,
};

/** What the kind can do. One that only a newer version knows, and has stored, can do nothing here. */
export function abilitiesOf(kind: ProviderKind): ProviderAbilities {
  return Object.hasOwn(ABILITIES, kind) ? ABILITIES[kind] : ABILITIES.none;
}

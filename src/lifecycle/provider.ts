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

export function abilitiesOf(kind: ProviderKind): ProviderAbilities {
  return ABILITIES[kind];
}

/** What is wrong with a reference of this provider's machines by its form alone; null when nothing is. */
export function referenceIssue(kind: ProviderKind, reference: string): string | null {
  if (kind === "ec2" && !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(reference)) {
    return "must be the id of an EC2 instance, such as i-0123456789abcdef0";
  }
  return null;
}

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

/** What a reference to a machine may hold, whoever carries its orders out. */
const REFERENCE = /^[A-Za-z0-9._:/-]{1,200}$/;

/** The form of each provider's own ids, where it has one. */
const REFERENCE_FORMS: Partial<Record<ProviderKind, { readonly form: RegExp; readonly words: string }>> = {
  vast: { form: /^\d{1,18}$/, words: "must be the number of a Vast.ai instance" },
  runpod: {
    form: /^[a-z0-9]{1,64}$/,
    words: "must be the id of a RunPod pod: lower-case letters and digits",
  },
  ec2: {
    form: /^i-[0-9a-f]{8,17}$/,
    words: "must be the id of an EC2 instance, such as i-1234567890abcdef0",
  },
};

/**
 * Why `reference` can't be a machine's id at this kind of provider, in words that follow its path; null when it can.
 * No reference that passes has a segment that would lead out of the path it is put into.
 */
export function referenceIssue(kind: ProviderKind, reference: string): string | null {
  if (!REFERENCE.test(reference)) {
    return "must be 1 to 200 of letters, digits, '.', '_', ':', '/', '-'";
  }
  if (reference.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    return "must not have a segment that is empty, '.' or '..'";
  }
  const own = REFERENCE_FORMS[kind];
  return own === undefined || own.form.test(reference) ? null : own.words;
}

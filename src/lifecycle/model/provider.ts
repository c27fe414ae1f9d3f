import { z } from "zod";

/** Providers with an API that the service calls. They also reach instances that are silent. */
export const CALLED_PROVIDERS = [
  "webhook",
  "vast",
  "runpod",
  "ec2",
  "gcp",
  "azure",
  "hyperstack",
  "scaleway",
  "tensordock",
  "lambda",
  "digitalocean",
  "verda",
] as const;

export type CalledProvider = (typeof CALLED_PROVIDERS)[number];

/**
 * Who carries out orders for an instance.
 * - `agent`: the agent hibernates its own machine when the answer to its heartbeat says so.
 * - `none`: nobody. The owner is told what would have been done.
 * - the others: see `CALLED_PROVIDERS`.
 */
const PROVIDER_KINDS = ["agent", "none", ...CALLED_PROVIDERS] as const;

export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/**
 * Who carries out an instance's orders: a kind of provider and, where the user has several connections of it, by which of them it
 * is called: `vast`, `vast@c-1f2e`. The first connection of a kind is named like the kind. To a release that does not know of
 * connections, one with a name of its own is a kind that it does not know: it never acts there.
 */
export type ConnectedProvider = ProviderKind | `${CalledProvider}@${string}`;

/** The kind of this name, of those that are called; null for any other text. */
export function calledKind(name: string): CalledProvider | null {
  return CALLED_PROVIDERS.find((kind) => kind === name) ?? null;
}

function isKind(provider: ConnectedProvider): provider is ProviderKind {
  return !provider.includes("@");
}

/** The kind of provider. One that only a newer version knows acts never, so it may as well be `none`. */
export function kindOf(provider: ConnectedProvider): ProviderKind {
  if (isKind(provider)) return provider;
  return CALLED_PROVIDERS.find((kind) => provider.startsWith(`${kind}@`)) ?? "none";
}

/** The id of the connection by which it is called; null where nobody is called. */
export function connectionOf(provider: ConnectedProvider): string | null {
  if (!isKind(provider)) return provider.slice(provider.indexOf("@") + 1);
  return calledKind(provider);
}

/** How an event names it: the connection only where it is not the first of its kind. */
export function providerDetail(provider: ConnectedProvider): {
  readonly provider: ProviderKind;
  readonly connection?: string;
} {
  const [kind, connection] = [kindOf(provider), connectionOf(provider)];
  return connection === null || connection === kind ? { provider: kind } : { provider: kind, connection };
}

/** The provider of this kind, called by this connection; null stands for the first one of the kind. */
export function connectedBy(kind: ProviderKind, connection: string | null): ConnectedProvider {
  const called = calledKind(kind);
  return called === null || connection === null || connection === kind ? kind : `${called}@${connection}`;
}

// The page takes the lists above; without the mark it would take Zod with them.
export const providerKindSchema = /* @__PURE__ */ z.enum(PROVIDER_KINDS);

/** What the providers call themselves, in every language. */
export const PROVIDER_NAMES: Record<Exclude<CalledProvider, "webhook">, string> = {
  vast: "Vast.ai",
  runpod: "RunPod",
  ec2: "Amazon EC2",
  gcp: "Google Compute Engine",
  azure: "Azure Virtual Machines",
  hyperstack: "Hyperstack",
  scaleway: "Scaleway",
  tensordock: "TensorDock",
  lambda: "Lambda Cloud",
  digitalocean: "DigitalOcean",
  verda: "Verda",
};

/** What a called provider is called; a webhook is the user's own. */
export function nameOfKind(kind: CalledProvider): string {
  return kind === "webhook" ? kind : PROVIDER_NAMES[kind];
}

/** What a kind of provider can do, and what stopping a machine there means. Whatever is said of a provider is made of this. */
interface ProviderAbilities {
  /** How an order to hibernate reaches an instance that sends heartbeats. */
  readonly hibernates: "by answer" | "by call" | "never";
  /** Whether orders reach a silent instance: to stop and to wake, unless it never hibernates, to take a snapshot, to delete. */
  readonly reachesSilent: boolean;
  readonly snapshots: boolean;
  /** Whether it can list all machines of an account, so that one which nobody watches is found. */
  readonly lists: boolean;
  /** What a stopped machine is still billed for. */
  readonly billedWhenStopped: readonly Billed[];
  /** What a stop loses. */
  readonly lost: readonly Lost[];
  /** What may keep a stopped machine from coming back with its GPUs; null when nothing is known to. */
  readonly mayNotComeBack: "its host" | "capacity" | null;
}

/**
 * `everything`: a machine that is switched off costs as much as one that runs, so switching it off is no hibernation. `not said`: the
 * provider does not document it, or somebody else decides.
 */
export type Billed =
  | "disks"
  | "volumes"
  | "addresses"
  | "snapshots"
  | "everything"
  | "perhaps everything"
  | "not said";

/** `container disk`: all but mounted volumes. `local disks`: those that belong to the host. */
export type Lost = "memory" | "container disk" | "local disks" | "not said";

const CALLED: Pick<ProviderAbilities, "hibernates" | "reachesSilent"> = {
  hibernates: "by call",
  reachesSilent: true,
};

/** Somebody else stops the machine, in a way that the service does not know. */
const ELSEWHERE: Pick<ProviderAbilities, "lists" | "billedWhenStopped" | "lost" | "mayNotComeBack"> = {
  lists: false,
  billedWhenStopped: ["not said"],
  lost: ["not said"],
  mayNotComeBack: null,
};

/** It can end the costs of a machine only by destroying it. */
const ONLY_DELETES: Omit<ProviderAbilities, "snapshots"> = {
  hibernates: "never",
  reachesSilent: true,
  lists: true,
  billedWhenStopped: ["everything"],
  lost: [],
  mayNotComeBack: null,
};

const ABILITIES: Record<ProviderKind, ProviderAbilities> = {
  agent: { hibernates: "by answer", reachesSilent: false, snapshots: false, ...ELSEWHERE },
  none: { hibernates: "never", reachesSilent: false, snapshots: false, ...ELSEWHERE },
  webhook: { ...CALLED, snapshots: true, ...ELSEWHERE },
  vast: {
    ...CALLED,
    snapshots: false,
    lists: true,
    billedWhenStopped: ["disks"],
    lost: ["memory"],
    mayNotComeBack: "its host",
  },
  runpod: {
    ...CALLED,
    snapshots: false,
    lists: true,
    billedWhenStopped: ["volumes"],
    lost: ["memory", "container disk"],
    mayNotComeBack: "its host",
  },
  ec2: {
    ...CALLED,
    snapshots: true,
    lists: true,
    billedWhenStopped: ["disks", "addresses", "snapshots"],
    lost: ["memory", "local disks"],
    mayNotComeBack: "capacity",
  },
  gcp: {
    ...CALLED,
    snapshots: true,
    lists: true,
    billedWhenStopped: ["disks", "addresses", "snapshots"],
    // A machine with local disks is not stopped.
    lost: ["memory"],
    mayNotComeBack: "capacity",
  },
  azure: {
    ...CALLED,
    snapshots: true,
    lists: true,
    billedWhenStopped: ["disks", "addresses", "snapshots"],
    lost: ["memory", "local disks"],
    mayNotComeBack: "capacity",
  },
  hyperstack: {
    ...CALLED,
    // It could take them, but not of a hibernated machine, and what is to be deleted has been hibernated before.
    snapshots: false,
    lists: true,
    billedWhenStopped: ["disks", "volumes", "addresses"],
    lost: ["memory", "local disks"],
    mayNotComeBack: "capacity",
  },
  scaleway: {
    ...CALLED,
    snapshots: true,
    lists: true,
    billedWhenStopped: ["disks", "volumes", "addresses", "snapshots"],
    lost: ["memory", "local disks"],
    mayNotComeBack: "capacity",
  },
  tensordock: {
    ...CALLED,
    snapshots: false,
    lists: true,
    // Its GPUs may stay reserved: only a stop that releases them counts as one.
    billedWhenStopped: ["perhaps everything"],
    lost: ["memory"],
    mayNotComeBack: "its host",
  },
  lambda: { ...ONLY_DELETES, snapshots: false },
  digitalocean: { ...ONLY_DELETES, snapshots: true },
  verda: { ...ONLY_DELETES, snapshots: false },
};

/** What the kind can do: nothing, for a kind that a newer version of the service has stored. */
export function abilitiesOf(provider: ConnectedProvider): ProviderAbilities {
  const kind = kindOf(provider);
  return Object.hasOwn(ABILITIES, kind) ? ABILITIES[kind] : ABILITIES.none;
}

/** What a reference to a machine may hold, at any provider. */
const REFERENCE = /^[A-Za-z0-9._:/-]{1,200}$/;

/** The format of a provider's own ids, where it has one. */
const REFERENCE_FORMS: Partial<Record<ProviderKind, { readonly form: RegExp; readonly words: string }>> = {
  vast: { form: /^[1-9]\d{0,17}$/, words: "must be the number of a Vast.ai instance" },
  runpod: {
    form: /^[a-z0-9]{1,64}$/,
    words: "must be the id of a RunPod pod: lower-case letters and digits",
  },
  ec2: {
    form: /^i-[0-9a-f]{8,17}$/,
    words: "must be the id of an EC2 instance, such as i-1234567890abcdef0",
  },
  // With its project: after a change of credentials, the same zone and name would be another machine. By name, never by
  // number, so that no machine has two references.
  gcp: {
    form: /^projects\/(?:[a-z0-9][a-z0-9.-]{0,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]\/zones\/[a-z][a-z0-9-]{0,40}[a-z0-9]\/instances\/[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    words:
      "must be the path of a Compute Engine instance, such as projects/my-project/zones/us-central1-a/instances/trainer-1",
  },
  // Azure ignores the case of names; with only one case, a machine has only one reference.
  azure: {
    form: /^(?=[^/]{1,90}\/)[a-z0-9._-]*[a-z0-9_-]\/[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_])?$/,
    words: "must be a resource group and a virtual machine, such as my-group/my-vm, in lower case",
  },
  hyperstack: {
    form: /^[1-9]\d{0,14}$/,
    words: "must be the number of a Hyperstack virtual machine",
  },
  scaleway: {
    form: /^[a-z]{2}-[a-z]{3}-\d\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    words:
      "must be the zone and the id of a Scaleway Instance, such as fr-par-2/11111111-1111-4111-8111-111111111111",
  },
  tensordock: {
    form: /^[A-Za-z0-9_-]{1,64}$/,
    words: "must be the id of a TensorDock instance: letters, digits, '_', '-'",
  },
  lambda: {
    form: /^[A-Za-z0-9-]{1,64}$/,
    words: "must be the id of a Lambda Cloud instance, such as 0920582c7ff041399e34823a0be62549",
  },
  digitalocean: { form: /^[1-9]\d{0,14}$/, words: "must be the number of a DigitalOcean Droplet" },
  verda: {
    form: /^[A-Za-z0-9-]{1,64}$/,
    words: "must be the id of a Verda instance: letters, digits, '-'",
  },
};

/**
 * Why `reference` can't be a machine's id at this kind of provider, worded to follow the path of the field; null when it
 * can. A reference that passes is safe to put into a URL path: no segment of it leads out of that path.
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

import type { CalledProvider } from "../../lifecycle/model/provider.ts";
import type { Control } from "../../lifecycle/views/control.ts";

/** What is said of instances where they are added, changed, removed, and where nobody can stop them. */

export type WhyNot = NonNullable<Control["why_not"]>;

/** How a provider calls what its machines are known by there, and an example. */
export interface Reference {
  readonly parts: Readonly<Partial<Record<"id" | "project" | "zone" | "group" | "name", string>>>;
  readonly hint: string | null;
}

/** Of the providers that have a word of their own for it. */
export type References = Readonly<Partial<Record<CalledProvider, Reference>>>;

export const SCALEWAY_ID = "11111111-1111-4111-8111-111111111111";
export const GCP_EXAMPLE = "my-project, us-central1-a, trainer-1";

const references: References = {
  webhook: { parts: { id: "Id in your control plane" }, hint: "Each order to your control plane names it." },
  vast: { parts: { id: "Instance ID" }, hint: "A number, such as 28864630." },
  runpod: { parts: { id: "Pod ID" }, hint: "Such as a1b2c3d4e5f6g7." },
  ec2: {
    parts: { id: "Instance ID" },
    hint: "Such as i-1234567890abcdef0. It must be in the region of the connection.",
  },
  gcp: {
    parts: { project: "Project ID", zone: "Zone", name: "Instance name" },
    hint: `Such as ${GCP_EXAMPLE}. You can paste the whole path of the instance into any of them.`,
  },
  azure: {
    parts: { group: "Resource group", name: "Virtual machine name" },
    hint: "Such as my-group, my-vm. You can paste the whole resource ID into either.",
  },
  hyperstack: { parts: { id: "VM ID" }, hint: "A number, such as 12345." },
  scaleway: { parts: { zone: "Zone", id: "Instance ID" }, hint: `Such as fr-par-2, ${SCALEWAY_ID}.` },
  tensordock: { parts: { id: "Instance ID" }, hint: "Letters, digits, “_” and “-”." },
};

/** Of a machine that may run. */
const cannotStop: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () => "Nobody can stop this machine: no provider is named that could.",
  silent: () => "Nobody can stop this machine: only its own agent could, and it is not heard.",
  not_connected: (provider) => `Nobody can stop this machine: ${provider} is not connected.`,
  refused: (provider) =>
    `Nobody can stop this machine: the keys of its connection are refused (${provider}).`,
  cannot_stop: (provider) =>
    `Nobody can stop this machine: ${provider} can’t stop machines. Only deleting it ends the bill.`,
};

/** Of one that is stopped. */
const cannotWake: Readonly<Record<WhyNot, (provider: string) => string>> = {
  no_provider: () =>
    "It can’t be woken from here. Start it where it is rented: its first heartbeat will be noticed.",
  silent: () =>
    "It can’t be woken from here. Start it where it is rented: its first heartbeat will be noticed.",
  not_connected: (provider) => `It can’t be woken or deleted from here: ${provider} is not connected.`,
  refused: (provider) =>
    `It can’t be woken or deleted from here: the keys of its connection are refused (${provider}).`,
  cannot_stop: (provider) => `${provider} can neither stop nor start machines.`,
};

const remedy: Readonly<Record<WhyNot, string | null>> = {
  no_provider: "Connect its provider",
  silent: "Connect its provider",
  not_connected: "Connect it",
  refused: "Renew the keys",
  cannot_stop: null,
};

export const englishInstances = {
  nobodyCanStop: "Nobody can stop it",
  unstoppable: "Can’t be stopped",
  cannotStop,
  cannotWake,
  remedy,
  thenChoose: "Then choose it under “Machine”.",
  filterByConnection: "Connection",
  anyConnection: "Any connection",
  tags: "Tags",
  chosenTags: "Only with these tags",
  withTag: (tag: string) => `Show only what has the tag ${tag}`,
  withoutTag: (tag: string) => `Show what has no tag ${tag} too`,
  tagsHint: "One a line, such as team:vision. They find instances again and tell costs apart.",
  // Adding and changing
  machine: "Machine",
  change: "Change",
  where: "Where it is rented",
  yourConnections: "Your connections",
  withoutProvider: "Without a provider",
  notConnectedYet: "Not connected yet",
  refusedConnection: (name: string) => `${name} (keys refused)`,
  isRefused: "The keys of this connection are refused, so no machine can be looked for.",
  notConnected: (provider: string) => `${provider} is not connected yet.`,
  connectFirst: "Connect it in the settings, then come back",
  renewFirst: "Renew them in the settings",
  agentHint: "Its own agent hibernates it. Once it is silent, nobody can stop it.",
  noneHint: "You are told of everything, and nobody ever stops it.",
  reference: (kind: CalledProvider): Reference =>
    references[kind] ?? { parts: { id: "Id at the provider" }, hint: null },
  id: "Id here",
  idHint: "You find it here by this id, and its agent reports under it.",
  otherMachine: "This is another machine: what was heard of the former one does not count for it.",
  withoutSnapshots: (provider: string, days: number) =>
    `${provider} takes no snapshots. After ${days} days of silence the machine is`,
  neverDeleted: "never deleted",
  deletedWithout: "deleted all the same, with all its data",
  refusals: {
    id: "1 to 128 letters, digits, “.”, “_”, “:” or “-”, beginning with a letter or digit.",
    name: "1 to 200 characters.",
    cost: "A number of dollars, at most 1,000,000.",
    tags: "At most 20. A key is 1 to 40 lower-case letters, digits, “_”, “.” or “-”, beginning with a letter; a value is at most 100 characters.",
    reference: "This is not in the form that the provider uses.",
    exists: "An instance of this id is registered already.",
    watched: "This machine is watched already as",
    watchedByAnother: "This machine is watched already by another instance.",
    notSeen: (provider: string) =>
      `${provider} shows no such machine. Is this right, and is the connection that of its account, team and region?`,
    cannotStop: (provider: string) =>
      `${provider} could not stop this machine. Without a provider you are told of it all the same. The reason:`,
    credentialsRefused: (provider: string) => `${provider} refuses the keys of this connection.`,
    busy: "Not while an order to this machine is under way: try again when it has ended.",
    tooMany: "You have as many instances as a user may have: remove those that are no longer needed.",
    tooFast: "Too many registrations: go on in a minute.",
    suspended: "The operator has suspended this account.",
  },
  // Removing
  /** `costs` an hour, as it stands; null where that is not known, or nothing. */
  removeStakes: (provider: string | null, costs: string | null, isHibernated: boolean) => {
    const at = costs === null ? "" : `, at ${costs} an hour`;
    const left = `The machine itself is left alone${provider === null ? "" : ` at ${provider}`}`;
    return `It is no longer watched: nobody warns you, and nobody stops it. ${left}: ${
      isHibernated
        ? `it stays hibernated, and what is billed of it meanwhile is billed on${at}. Nothing is deleted there. To end the bill, delete it where it is rented.`
        : `if it runs, it goes on running and is billed on${at}. Nothing is deleted there. To end the bill, hibernate it first, or delete it where it is rented.`
    }`;
  },
  typeToConfirm: (name: string) => `Type ${name} to confirm`,
};

export type InstanceWords = typeof englishInstances;

import type { CalledProvider } from "../../../../lifecycle/model/provider.ts";

/** What is said of providers where they are connected, and of the machines that are found there. */

/** Where its key is made, and what that must be allowed. */
const keyHelp: Readonly<Record<CalledProvider, string>> = {
  webhook: "A control plane of your own, called by signed orders. The secret begins with whsec_.",
  vast: "At Vast.ai under Account, Keys. It needs instance_read and instance_write.",
  runpod: "At RunPod under Settings, API Keys. It must be allowed to read and write.",
  ec2: "In AWS under IAM, Users, Security credentials. Only the machines of this region are seen.",
  gcp: "A service account’s key, as a JSON file: paste all of it into any field.",
  azure: "An application in Microsoft Entra ID with a client secret, and the id of the subscription.",
  hyperstack: "At Hyperstack under API Keys. It has the rights of its user.",
  scaleway: "At Scaleway under IAM, API keys, with InstancesFullAccess.",
  tensordock: "At TensorDock under Developers, an API token of the organization.",
  lambda: "At Lambda Cloud under API keys.",
  digitalocean: "At DigitalOcean under API, Tokens, with droplet:read; to delete also droplet:delete.",
  verda: "At Verda under Keys, cloud API credentials.",
};

const count = (machines: number, one: string, many: string) =>
  machines === 1 ? `1 ${one}` : `${machines.toLocaleString("en")} ${many}`;

export const englishProviders = {
  title: "Providers",
  hint: "Accounts and regions that stop, start and delete your machines. Keys are sealed and never shown again.",
  none: "No provider is connected: a silent machine can be stopped by nobody.",
  state: { active: "Connected", refused: "Key refused", unchecked: "Not checked" },
  refusedHelp: "The provider refuses the key: nothing is ordered there until it is replaced.",
  watched: (machines: number) => `${count(machines, "machine", "machines")} watched`,
  unwatched: (machines: number) => `${count(machines, "machine", "machines")} that nobody watches`,
  allWatched: "each machine there is watched",
  notListed: "its machines can’t be listed",
  listedAt: (ago: string) => `listed ${ago} ago`,
  listProblem: "The last list failed:",
  show: "Show them",
  abilities: {
    title: "What it can do, and what a stop means",
    stops: "stops and starts machines",
    stopsNot: "can’t stop a machine: only deleting it ends the bill",
    reaches: "reaches silent machines",
    snapshots: "takes a snapshot before a deletion",
    snapshotsNot: "takes no snapshots",
    lists: "finds machines that nobody watches",
    listsNot: "doesn’t list machines",
    yes: "Yes:",
    no: "No:",
  },
  tags: { stops: "stops", deletes: "only deletes", snapshots: "snapshots", lists: "lists" },
  actions: {
    check: "Check",
    rename: "Rename",
    replace: "Replace the key",
    remove: "Delete",
    look: "Look again",
  },
  connect: {
    title: "Connect a provider",
    another: "Connect another provider",
    of: (provider: string) => `Connect ${provider}`,
    name: "Name",
    nameHint: "To tell its accounts and regions apart.",
    submit: "Check and connect",
    checking: (provider: string) => `Asking ${provider} …`,
    cancel: "Another one",
    refused: (provider: string) => `${provider} did not take the key.`,
    unchecked: "Keep it all the same",
    uncheckedHint: "It is kept unchecked, and tried when it is first needed.",
    form: "This is not in the form that the provider uses.",
    connected: (name: string) => `${name} is connected: its key works.`,
    keptUnchecked: (name: string) => `${name} is connected. Its key was not checked.`,
    looking: "Looking for its machines …",
    keyHelp,
  },
  found: {
    title: (machines: number) => `${count(machines, "machine", "machines")} found that nobody watches`,
    nothing: "No machine was found there that nobody watches.",
    looksFailed: (problem: string) => `Its machines could not be listed: ${problem}`,
    costs: (dollars: string) => `They cost ${dollars} an hour.`,
    costsMore: (dollars: string, unknown: number) =>
      `They cost ${dollars} an hour and more: the price of ${unknown} is not known.`,
    costsUnknown: "What they cost is not known.",
    isMember: "belongs to a group that starts and stops it",
    states: {
      running: "running",
      starting: "starting",
      stopping: "stopping",
      stopped: "stopped",
      unknown: "state not known",
    } as Readonly<Record<string, string>>,
    anHour: (dollars: string) => `${dollars}/h`,
    unknownPrice: "price not known",
    choose: (name: string) => `Watch ${name}`,
    all: "All",
    watch: (machines: number) => (machines === 1 ? "Watch it" : `Watch ${machines} machines`),
    watching: (machines: number) => `${count(machines, "machine is", "machines are")} watched from now on.`,
    refused: (machines: number) => `${count(machines, "machine", "machines")} could not be registered:`,
    because: {
      unknown: "no longer listed",
      gone: "gone",
      member: "belongs to a group that starts and stops it",
      watched: "watched already",
      bad_reference: "its name can’t be used here",
      bad_policy: "your policy asks for what this provider can’t do",
      too_many: "you have as many instances as a user may have",
      unavailable: "try again",
    } as Readonly<Record<string, string>>,
    install: "One thing is left: run its command on each machine, so that it tells when it idles.",
    more: "There are more: go on with the next.",
    truncated: (shown: number) => `The first ${shown} are shown.`,
  },
};

export type ProvidersWords = typeof englishProviders;

import { type CalledProvider, type ConnectedProvider, calledKind, kindOf } from "./provider.ts";

/**
 * Whether and how a stopped machine comes back, by the kind of its provider: what a start without a free GPU does, what ends a
 * stopped machine, and what its owner can do when a wake has failed. With the table of abilities, whatever is said before a
 * stop, and after a wake in vain, is made of this.
 */
export interface ComingBack {
  /**
   * What a start does while no GPU is free. `waits`: in a queue, until it comes through or is cancelled. `comes without`: the
   * machine may start with none. Null where nobody knows.
   */
  readonly startWithoutGpu: "waits" | "comes without" | "fails" | null;
  /** What ends a stopped machine, and its data; null where nothing is known to. */
  readonly endsByItself: "after its contract" | "without balance" | null;
  /** Where its owner finds the machine at the provider; null where that is not known. */
  readonly page: string | null;
  /** Another machine in its place; null where nobody knows how. */
  readonly recreate: WayOn | null;
  /** Its data without its GPUs; null where nobody knows how. */
  readonly fetchData: WayOn | null;
}

/** A way on after a wake that failed. */
export interface WayOn {
  /** Worded to follow "you can". */
  readonly how: string;
  /** For the provider's own command line; null where it has none for this. */
  readonly command: ((reference: string) => string) | null;
}

const NOT_KNOWN: ComingBack = {
  startWithoutGpu: null,
  endsByItself: null,
  page: null,
  recreate: null,
  fetchData: null,
};

/** Of those that stop machines themselves. Sources: docs/providers.md, "When a machine does not come back". */
const COMING_BACK: Readonly<Partial<Record<CalledProvider, ComingBack>>> = {
  vast: {
    startWithoutGpu: "waits",
    endsByItself: "after its contract",
    page: "https://cloud.vast.ai/instances/",
    recreate: { how: "rent another machine with the same template", command: null },
    fetchData: {
      how: "copy its data while it is stopped",
      command: (reference) => `vastai copy C.${reference}:/workspace/ local:./${reference}/`,
    },
  },
  runpod: {
    startWithoutGpu: "comes without",
    endsByItself: "without balance",
    page: "https://console.runpod.io/pods",
    recreate: { how: "deploy another pod, and attach its network volume if it has one", command: null },
    fetchData: {
      how: "start it with zero GPUs on RunPod's page, copy its volume, and stop it again",
      command: null,
    },
  },
  ec2: {
    startWithoutGpu: "fails",
    endsByItself: null,
    page: "https://console.aws.amazon.com/ec2/home#Instances:",
    recreate: {
      how: "make an image of it, and launch that in another zone or as another type",
      command: (reference) => `aws ec2 create-image --instance-id ${reference} --name ${reference}-copy`,
    },
    fetchData: {
      how: "attach its volumes, or copies of them, to another instance",
      command: (reference) =>
        `aws ec2 describe-volumes --filters Name=attachment.instance-id,Values=${reference}`,
    },
  },
  gcp: {
    startWithoutGpu: "fails",
    endsByItself: null,
    page: "https://console.cloud.google.com/compute/instances",
    recreate: {
      how: "make a machine image of it, and create an instance of that in another zone",
      command: (reference) => {
        const [, project, , zone, , name] = reference.split("/");
        return `gcloud compute machine-images create ${name}-copy --project=${project} --source-instance=${name} --source-instance-zone=${zone}`;
      },
    },
    fetchData: { how: "attach its disks, or copies of them, to another instance", command: null },
  },
  azure: {
    startWithoutGpu: "fails",
    endsByItself: null,
    page: "https://portal.azure.com/#browse/Microsoft.Compute%2FVirtualMachines",
    recreate: {
      how: "give it a size that is free",
      command: (reference) => {
        const [group, name] = reference.split("/");
        return `az vm resize --resource-group ${group} --name ${name} --size SIZE`;
      },
    },
    fetchData: { how: "attach copies of its disks to another machine", command: null },
  },
  hyperstack: {
    startWithoutGpu: "fails",
    endsByItself: null,
    page: "https://console.hyperstack.cloud",
    recreate: { how: "create another machine, and attach its volumes to that", command: null },
    fetchData: {
      how: "attach its volumes to another machine; its root disk can't be read before it is restored",
      command: null,
    },
  },
  scaleway: {
    startWithoutGpu: "fails",
    endsByItself: null,
    page: "https://console.scaleway.com/instance/servers",
    recreate: { how: "make an image of it, and create another Instance of that", command: null },
    fetchData: { how: "attach its volumes to another Instance in its zone", command: null },
  },
  tensordock: {
    startWithoutGpu: "fails",
    endsByItself: null,
    page: "https://dashboard.tensordock.com",
    recreate: { how: "deploy another machine", command: null },
    fetchData: null,
  },
};

/** What is known of coming back at this kind of provider. */
export function comingBackOf(provider: ConnectedProvider): ComingBack {
  const kind = calledKind(kindOf(provider));
  return (kind === null ? undefined : COMING_BACK[kind]) ?? NOT_KNOWN;
}

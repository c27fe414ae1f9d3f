import { z } from "zod";
import { requireReference, sight } from "./answer.ts";
import { type Ec2Credentials, Ec2Error, ec2Calls, ec2Url, listOf } from "./ec2-api.ts";
import { type Progress, type Provider, ProviderError, type Shown, type Target } from "./provider.ts";

/**
 * Amazon EC2. Hibernation falls back to a plain stop where the instance was not launched for it; either way a stopped
 * instance pays for its disks and addresses alone, and what is on its local disks is lost.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html, API_StartInstances, API_CreateImage,
 * API_DescribeImages, API_TerminateInstances, API_DescribeInstances, API_DescribeInstanceAttribute,
 * API_DescribeSpotInstanceRequests, API_CancelSpotInstanceRequests; what can't be stopped:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html.
 */

const instanceSchema = z.object({
  instanceState: z.object({ name: z.string() }),
  rootDeviceType: z.string().optional(),
  spotInstanceRequestId: z.string().optional(),
  tagSet: listOf(z.object({ key: z.string(), value: z.string() })),
});

type Instance = z.infer<typeof instanceSchema>;

const instancesSchema = z.object({
  reservationSet: listOf(z.object({ instancesSet: listOf(instanceSchema) })),
});

const spotRequestsSchema = z.object({
  spotInstanceRequestSet: listOf(z.object({ type: z.string() })),
});

const imagesSchema = z.object({
  imagesSet: listOf(z.object({ imageId: z.string(), imageState: z.string() })),
});

/** The answer to an order, of which nothing is read but that it is one. */
const anySchema = z.unknown();

/** Put on an instance by EC2 itself: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html. */
const GROUP_TAG = "aws:autoscaling:groupName";

export function ec2(credentials: Ec2Credentials, baseUrl = ec2Url(credentials.region)): Provider {
  const call = ec2Calls(credentials, baseUrl);

  const describe = async (target: Target): Promise<Instance> => {
    const { reservationSet } = await call("DescribeInstances", onInstance(target), instancesSchema);
    const instance = reservationSet[0]?.instancesSet[0];
    if (instance === undefined) throw new ProviderError("refused", "EC2 answered without the instance");
    return instance;
  };

  /** Whether its owner protects it from this. Where that can't be read, EC2 itself refuses the order, only later. */
  const isProtected = (target: Target, attribute: "disableApiStop" | "disableApiTermination") =>
    readable(false, async () => {
      const answer = await call(
        "DescribeInstanceAttribute",
        { InstanceId: referenceOf(target), Attribute: attribute },
        z.object({ [attribute]: z.object({ value: z.string() }) }),
      );
      return answer[attribute]?.value === "true";
    });

  /** Whether its spot request outlives a stop. One that can't be read is not known to. */
  const isPersistent = (spotRequestId: string) =>
    readable(false, async () => {
      const answer = await call(
        "DescribeSpotInstanceRequests",
        onSpotRequest(spotRequestId),
        spotRequestsSchema,
      );
      return answer.spotInstanceRequestSet[0]?.type === "persistent";
    });

  const stopObstacle = async (target: Target, instance: Instance): Promise<string | null> => {
    const group = groupObstacle(instance);
    if (group !== null) return group;
    if (instance.rootDeviceType === "instance-store") {
      return "its root disk is an instance store, which can't be stopped, only terminated";
    }
    const spotRequestId = instance.spotInstanceRequestId;
    if (spotRequestId !== undefined && !(await isPersistent(spotRequestId))) {
      return `it is a spot instance, and its request ${spotRequestId} is not shown as persistent: a one-time spot instance can't be stopped, only terminated`;
    }
    return (await isProtected(target, "disableApiStop")) ? "its stop protection is on" : null;
  };

  /** Stops it by one of these ways, the first that EC2 can go. Stopping what is stopped is done. */
  const stop = async (
    target: Target,
    ways: readonly Readonly<Record<string, string>>[],
  ): Promise<Progress> => {
    const instance = await describe(target);
    const { name } = instance.instanceState;
    if (name === "stopped") return "done";
    if (name === "terminated") throw new ProviderError("refused", "EC2 shows it as terminated");
    refuseIf(await stopObstacle(target, instance));
    for (const [index, way] of ways.entries()) {
      try {
        await call("StopInstances", { ...onInstance(target), ...way }, anySchema);
        break;
      } catch (error) {
        const isLast = index === ways.length - 1;
        if (isLast || !(error instanceof Ec2Error) || !CANNOT_HIBERNATE.has(error.ec2Code)) throw error;
      }
    }
    return "accepted";
  };

  /** A persistent request would start a new instance in the place of the one that is terminated. */
  const cancelSpot = async (requestId: string): Promise<void> => {
    try {
      await call("CancelSpotInstanceRequests", onSpotRequest(requestId), anySchema);
    } catch (error) {
      if (error instanceof Ec2Error && error.ec2Code === "InvalidSpotInstanceRequestID.NotFound") return;
      throw error;
    }
  };

  const imageNamed = async (name: string): Promise<string> => {
    const filter = { "Owner.1": "self", "Filter.1.Name": "name", "Filter.1.Value.1": name };
    const { imagesSet } = await call("DescribeImages", filter, imagesSchema);
    const [image] = imagesSet;
    // It is there, by EC2's own word, and will be shown.
    if (image === undefined)
      throw new ProviderError("unavailable", `EC2 does not show the image ${name} yet`);
    return image.imageId;
  };

  /** Asks whether the keys may do this, without doing it. */
  const tryOut = async (action: string, parameters: Readonly<Record<string, string>>): Promise<void> => {
    try {
      await call(action, { ...parameters, DryRun: "true" }, anySchema);
    } catch (error) {
      if (error instanceof Ec2Error && MAY.has(error.ec2Code)) return;
      throw error;
    }
    throw new ProviderError("refused", `EC2 ${action} did not heed DryRun: this is not EC2's own API`);
  };

  return {
    hibernate: (target) => stop(target, [{ Hibernate: "true" }, {}]),
    forceHibernate: (target) => stop(target, [{ Force: "true" }]),
    wake: async (target) => {
      await call("StartInstances", onInstance(target), anySchema);
      return "accepted";
    },
    delete: async (target) => {
      const instance = await describe(target);
      if (instance.instanceState.name === "terminated") return "done";
      refuseIf(groupObstacle(instance));
      if (instance.spotInstanceRequestId !== undefined) await cancelSpot(instance.spotInstanceRequestId);
      await call("TerminateInstances", onInstance(target), anySchema);
      return "accepted";
    },
    snapshot: async (target) => {
      // It is taken before a deletion, which would fail hours later.
      if (await isProtected(target, "disableApiTermination")) {
        throw new ProviderError("refused", "its termination protection is on: it could not be deleted");
      }
      // CreateImage takes no idempotency token, but a name is given once: by it a repeated call finds its image.
      const name = `dumont-${target.actionId}`;
      try {
        const { imageId } = await call(
          "CreateImage",
          { InstanceId: referenceOf(target), Name: name, NoReboot: "true" },
          z.object({ imageId: z.string() }),
        );
        return { snapshotId: imageId, done: false };
      } catch (error) {
        if (!(error instanceof Ec2Error) || error.ec2Code !== "InvalidAMIName.Duplicate") throw error;
        return { snapshotId: await imageNamed(name), done: false };
      }
    },
    snapshotState: async (snapshotId) => {
      try {
        const { imagesSet } = await call("DescribeImages", { "ImageId.1": snapshotId }, imagesSchema);
        return imageStateOf(imagesSet[0]?.imageState);
      } catch (error) {
        // A new image is not shown for some minutes.
        if (error instanceof Ec2Error && error.ec2Code === "InvalidAMIID.NotFound") return "pending";
        throw error;
      }
    },
    status: (target) =>
      sight(async () => {
        const instance = await describe(target);
        const { name } = instance.instanceState;
        // It does not say how many GPUs there are, but an instance has those of its type, or does not start.
        const shown = (state: Shown["state"], obstacle: string | null): Shown => ({
          state,
          gpus: null,
          obstacle,
        });
        switch (name) {
          case "pending":
            return shown("starting", groupObstacle(instance));
          case "running":
            return shown("running", await stopObstacle(target, instance));
          case "stopping":
          case "shutting-down":
            return shown("stopping", groupObstacle(instance));
          case "stopped":
            return shown("stopped", groupObstacle(instance));
          case "terminated":
            return { state: "terminated" };
          default:
            return { state: "unknown", because: `EC2 shows it as ${name}` };
        }
      }),
    verify: async (target) => {
      if (target === null) {
        await call("DescribeInstances", { MaxResults: "5" }, anySchema);
        return;
      }
      const instance = await describe(target);
      // First what would harm least, if it were done in spite of DryRun.
      await tryOut("CreateImage", { InstanceId: referenceOf(target), Name: "dumont-dry-run" });
      await tryOut("StartInstances", onInstance(target));
      await tryOut("StopInstances", onInstance(target));
      if (instance.spotInstanceRequestId !== undefined) {
        await tryOut("CancelSpotInstanceRequests", onSpotRequest(instance.spotInstanceRequestId));
      }
      await tryOut("TerminateInstances", onInstance(target));
    },
  };
}

/** The instance was not launched for hibernation, or can't do it now. */
const CANNOT_HIBERNATE = new Set([
  "UnsupportedHibernationConfiguration",
  "UnsupportedOperation",
  "InvalidParameterCombination",
  "HibernationNotReady",
]);

/** What DryRun answers when the keys are good, or when only the instance's state or protection is in the way. */
const MAY = new Set([
  "DryRunOperation",
  "IncorrectInstanceState",
  "IncorrectState",
  "OperationNotPermitted",
  "UnsupportedOperation",
]);

function referenceOf(target: Target): string {
  requireReference("ec2", target);
  return target.ref;
}

function onInstance(target: Target) {
  return { "InstanceId.1": referenceOf(target) };
}

function onSpotRequest(requestId: string) {
  return { "SpotInstanceRequestId.1": requestId };
}

/** What is read, or `otherwise` where it may not be or is not there. */
async function readable<T>(otherwise: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ProviderError && !error.isPassing) return otherwise;
    throw error;
  }
}

function refuseIf(obstacle: string | null): void {
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}

function groupObstacle(instance: Instance): string | null {
  const group = instance.tagSet.find(({ key }) => key === GROUP_TAG);
  return group === undefined
    ? null
    : `it belongs to the Auto Scaling group ${group.value}, which would replace it: change the group instead`;
}

function imageStateOf(name: string | undefined): "pending" | "ready" | "failed" {
  switch (name) {
    case "available":
      return "ready";
    case "pending":
    case "transient":
    case undefined:
      return "pending";
    default:
      return "failed";
  }
}

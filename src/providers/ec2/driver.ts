import { z } from "zod";
import { sight } from "../answer.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import { type Ec2Call, type Ec2Credentials, Ec2Error, ec2Calls, ec2Url, listOf } from "./api.ts";
import {
  describeInstance,
  groupObstacle,
  isProtected,
  onInstance,
  onSpotRequest,
  referenceOf,
  sightingOf,
  stopObstacle,
} from "./instance.ts";
import { listInstances } from "./list.ts";

/**
 * Amazon EC2. An instance that was not launched for hibernation is stopped instead. Either way only its disks and
 * addresses are billed while it is stopped, and what is on its local disks is lost.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html, API_StartInstances, API_CreateImage,
 * API_DescribeImages, API_TerminateInstances, API_CancelSpotInstanceRequests.
 */

const imagesSchema = z.object({
  imagesSet: listOf(z.object({ imageId: z.string(), imageState: z.string() })),
});

/** The answer to an order: that EC2 answered it is enough. */
const anySchema = z.unknown();

type CallParameters = Readonly<Record<string, string>>;

/** What EC2 says when an instance was not launched for hibernation, or can't hibernate now. */
const CANNOT_HIBERNATE = [
  "UnsupportedHibernationConfiguration",
  "UnsupportedOperation",
  "InvalidParameterCombination",
  "HibernationNotReady",
];

/** What EC2 says to a dry run when the keys are good: at most the instance's state or protection is in the way. */
const ALLOWED = [
  "DryRunOperation",
  "IncorrectInstanceState",
  "IncorrectState",
  "OperationNotPermitted",
  "UnsupportedOperation",
];

export function ec2(credentials: Ec2Credentials, baseUrl = ec2Url(credentials.region)): Provider {
  const call = ec2Calls(credentials, baseUrl);
  return {
    hibernate: (target) => stop(call, target, [{ Hibernate: "true" }, {}]),
    forceHibernate: (target) => stop(call, target, [{ Force: "true" }]),
    wake: async (target) => {
      await call("StartInstances", onInstance(target), anySchema);
      return "accepted";
    },
    delete: async (target) => {
      const instance = await describeInstance(call, target);
      if (instance.instanceState.name === "terminated") return "done";
      refuseIf(groupObstacle(instance));
      if (instance.spotInstanceRequestId !== undefined) {
        await cancelSpotRequest(call, instance.spotInstanceRequestId);
      }
      await call("TerminateInstances", onInstance(target), anySchema);
      return "accepted";
    },
    snapshot: async (target) => {
      // The snapshot comes before a deletion, which would otherwise fail hours later.
      refuseIf(groupObstacle(await describeInstance(call, target)));
      if (await isProtected(call, target, "disableApiTermination")) {
        throw new ProviderError("refused", "its termination protection is on: it could not be deleted");
      }
      return { snapshotId: await createImage(call, target), done: false };
    },
    snapshotState: async (snapshotId) => {
      try {
        const { imagesSet } = await call("DescribeImages", { "ImageId.1": snapshotId }, imagesSchema);
        return imageStateOf(imagesSet[0]?.imageState);
      } catch (error) {
        // A new image is not shown for some minutes.
        if (isError(error, "InvalidAMIID.NotFound")) return "pending";
        throw error;
      }
    },
    status: (target) => sight(async () => sightingOf(call, target, await describeInstance(call, target))),
    list: (after) => listInstances(call, credentials.region, after),
    verify: async (target) => {
      if (target === null) {
        await call("DescribeInstances", { MaxResults: "5" }, anySchema);
        return;
      }
      const instance = await describeInstance(call, target);
      // First what would do the least harm if DryRun were ignored.
      await tryOut(call, "CreateImage", { InstanceId: referenceOf(target), Name: "dumont-dry-run" });
      await tryOut(call, "StartInstances", onInstance(target));
      await tryOut(call, "StopInstances", onInstance(target));
      if (instance.spotInstanceRequestId !== undefined) {
        await tryOut(call, "CancelSpotInstanceRequests", onSpotRequest(instance.spotInstanceRequestId));
      }
      await tryOut(call, "TerminateInstances", onInstance(target));
    },
  };
}

/** Stops the instance in the first of these ways that EC2 can take. An instance that is stopped already is done. */
async function stop(call: Ec2Call, target: Target, ways: readonly CallParameters[]): Promise<Progress> {
  const instance = await describeInstance(call, target);
  const { name } = instance.instanceState;
  if (name === "stopped") return "done";
  if (name === "terminated") throw new ProviderError("refused", "EC2 shows it as terminated");
  refuseIf(await stopObstacle(call, target, instance));
  for (const [index, way] of ways.entries()) {
    try {
      await call("StopInstances", { ...onInstance(target), ...way }, anySchema);
      break;
    } catch (error) {
      const isLast = index === ways.length - 1;
      if (isLast || !isError(error, ...CANNOT_HIBERNATE)) throw error;
    }
  }
  return "accepted";
}

/** A persistent request would replace the terminated instance with a new one. */
async function cancelSpotRequest(call: Ec2Call, requestId: string): Promise<void> {
  try {
    await call("CancelSpotInstanceRequests", onSpotRequest(requestId), anySchema);
  } catch (error) {
    if (!isError(error, "InvalidSpotInstanceRequestID.NotFound")) throw error;
  }
}

/** Begins an image, or finds the one that an earlier call of the same action began. Answers with its id. */
async function createImage(call: Ec2Call, target: Target): Promise<string> {
  // CreateImage takes no idempotency token, but names are unique.
  const name = `dumont-${target.actionId}`;
  const image = { InstanceId: referenceOf(target), Name: name, NoReboot: "true" };
  const create = async (tag: CallParameters) => {
    const { imageId } = await call("CreateImage", { ...image, ...tag }, z.object({ imageId: z.string() }));
    return imageId;
  };
  try {
    return await create(tagOf(target)).catch((error: unknown) => {
      if (!isError(error, "UnauthorizedOperation", "TagPolicyViolation")) throw error;
      return create({});
    });
  } catch (error) {
    if (!isError(error, "InvalidAMIName.Duplicate")) throw error;
    return imageNamed(call, name);
  }
}

/** The instance's id on the image, by which its owner finds what it was made of. */
function tagOf({ instanceId }: Target): CallParameters {
  return {
    "TagSpecification.1.ResourceType": "image",
    "TagSpecification.1.Tag.1.Key": "dumont-instance",
    "TagSpecification.1.Tag.1.Value": instanceId,
  };
}

async function imageNamed(call: Ec2Call, name: string): Promise<string> {
  const filter = { "Owner.1": "self", "Filter.1.Name": "name", "Filter.1.Value.1": name };
  const { imagesSet } = await call("DescribeImages", filter, imagesSchema);
  const [image] = imagesSet;
  // EC2 has said that it exists, so it will be shown.
  if (image === undefined) throw new ProviderError("unavailable", `EC2 does not show the image ${name} yet`);
  return image.imageId;
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

/** Asks whether the keys may do this, without doing it. */
async function tryOut(call: Ec2Call, action: string, parameters: CallParameters): Promise<void> {
  try {
    await call(action, { ...parameters, DryRun: "true" }, anySchema);
  } catch (error) {
    if (isError(error, ...ALLOWED)) return;
    throw error;
  }
  throw new ProviderError("refused", `EC2 ${action} did not heed DryRun: this is not EC2's own API`);
}

function isError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Ec2Error && codes.includes(error.ec2Code);
}

function refuseIf(obstacle: string | null): void {
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}

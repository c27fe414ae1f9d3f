import { z } from "zod";
import { requireReference } from "../answer.ts";
import { ProviderError, type Shown, type Sighting, type Target } from "../provider.ts";
import { type Ec2Call, listOf } from "./api.ts";
import { groupOf } from "./group.ts";

/**
 * What EC2 shows of an instance, and what stands against an order to it.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html, API_DescribeInstanceAttribute,
 * API_DescribeSpotInstanceRequests; what can't be stopped:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html.
 */

export const instanceSchema = z.object({
  instanceState: z.object({ name: z.string() }),
  rootDeviceType: z.string().optional(),
  spotInstanceRequestId: z.string().optional(),
  tagSet: listOf(z.object({ key: z.string(), value: z.string() })),
  /** The service that manages it, if one does. */
  operator: z.object({ managed: z.string(), principal: z.string().optional() }).optional(),
});

export type Instance = z.infer<typeof instanceSchema>;

const instancesSchema = z.object({
  reservationSet: listOf(z.object({ instancesSet: listOf(instanceSchema) })),
});

const spotRequestsSchema = z.object({
  spotInstanceRequestSet: listOf(z.object({ type: z.string() })),
});

export function referenceOf(target: Target): string {
  requireReference("ec2", target);
  return target.ref;
}

export function onInstance(target: Target) {
  return { "InstanceId.1": referenceOf(target) };
}

export function onSpotRequest(requestId: string) {
  return { "SpotInstanceRequestId.1": requestId };
}

export async function describeInstance(call: Ec2Call, target: Target): Promise<Instance> {
  const { reservationSet } = await call("DescribeInstances", onInstance(target), instancesSchema);
  const instance = reservationSet[0]?.instancesSet[0];
  if (instance === undefined) throw new ProviderError("refused", "EC2 answered without the instance");
  return instance;
}

/** Null for a state that is not documented. */
export function stateOf({ instanceState }: Instance): Shown["state"] | "terminated" | null {
  switch (instanceState.name) {
    case "pending":
      return "starting";
    case "running":
    case "stopping":
    case "stopped":
    case "terminated":
      return instanceState.name;
    case "shutting-down":
      return "stopping";
    default:
      return null;
  }
}

export async function sightingOf(call: Ec2Call, target: Target, instance: Instance): Promise<Sighting> {
  const state = stateOf(instance);
  if (state === null) return { state: "unknown", because: `EC2 shows it as ${instance.instanceState.name}` };
  if (state === "terminated") return { state };
  const obstacle = state === "running" ? await stopObstacle(call, target, instance) : groupObstacle(instance);
  // EC2 does not say how many GPUs there are, but an instance has those of its type, or does not start.
  return { state, gpus: null, obstacle };
}

/** Why the instance must not be stopped or terminated; null when nothing stands against it. */
export function groupObstacle(instance: Instance): string | null {
  const group = groupOf(instance);
  return group?.replaces === true
    ? `it belongs to the ${group.name}, which would replace it: change that instead`
    : null;
}

/** Why the instance can't or must not be stopped; null when nothing stands against it. */
export async function stopObstacle(
  call: Ec2Call,
  target: Target,
  instance: Instance,
): Promise<string | null> {
  const group = groupObstacle(instance);
  if (group !== null) return group;
  if (instance.rootDeviceType === "instance-store") {
    return "its root disk is an instance store, which can't be stopped, only terminated";
  }
  const spotRequestId = instance.spotInstanceRequestId;
  if (spotRequestId !== undefined && !(await isPersistent(call, spotRequestId))) {
    return `it is a spot instance, and its request ${spotRequestId} is not shown as persistent: a one-time spot instance can't be stopped, only terminated`;
  }
  return (await isProtected(call, target, "disableApiStop")) ? "its stop protection is on" : null;
}

/** Whether its owner protects it from this. False where that can't be read: then EC2 itself refuses the order, only later. */
export function isProtected(
  call: Ec2Call,
  target: Target,
  attribute: "disableApiStop" | "disableApiTermination",
): Promise<boolean> {
  return falseIfUnreadable(async () => {
    const answer = await call(
      "DescribeInstanceAttribute",
      { InstanceId: referenceOf(target), Attribute: attribute },
      z.object({ [attribute]: z.object({ value: z.string() }) }),
    );
    return answer[attribute]?.value === "true";
  });
}

/** Whether the spot request is known to outlive a stop. */
function isPersistent(call: Ec2Call, spotRequestId: string): Promise<boolean> {
  return falseIfUnreadable(async () => {
    const answer = await call(
      "DescribeSpotInstanceRequests",
      onSpotRequest(spotRequestId),
      spotRequestsSchema,
    );
    return answer.spotInstanceRequestSet[0]?.type === "persistent";
  });
}

/** False also where the keys may not read it, or it is not there. */
async function falseIfUnreadable(read: () => Promise<boolean>): Promise<boolean> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ProviderError && !error.isPassing) return false;
    throw error;
  }
}

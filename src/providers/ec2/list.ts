import { z } from "zod";
import { momentOf, pageOf, unreadMachine } from "../listing.ts";
import type { ListedMachine, MachinePage } from "../provider.ts";
import { type Ec2Call, fullListOf } from "./api.ts";
import { gpusOfType } from "./gpus.ts";
import { groupOf } from "./group.ts";
import { instanceSchema, stateOf } from "./instance.ts";

/** The list of a region's instances: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html. */

const PAGE_SIZE = "100";

const pageSchema = z.object({
  reservationSet: fullListOf(
    z.object({ instancesSet: fullListOf(z.looseObject({ instanceId: z.string().min(1) })) }),
  ),
  nextToken: z.string().optional(),
});

const listedSchema = instanceSchema.extend({
  instanceType: z.string(),
  /** When it was last started. */
  launchTime: z.string().optional(),
});

export async function listInstances(
  call: Ec2Call,
  region: string,
  after: string | null,
): Promise<MachinePage> {
  const query = { MaxResults: PAGE_SIZE, ...(after !== null && { NextToken: after }) };
  const page = await call("DescribeInstances", query, pageSchema);
  const instances = page.reservationSet.flatMap(({ instancesSet }) => instancesSet);
  const machines = instances.map((entry) => listedInstance(entry.instanceId, entry, region));
  return pageOf(machines, after, page.nextToken || null);
}

function listedInstance(ref: string, entry: unknown, region: string): ListedMachine {
  const { data } = listedSchema.safeParse(entry);
  if (data === undefined) return { ...unreadMachine(ref), region };
  return {
    ref,
    name: data.tagSet.find(({ key }) => key === "Name")?.value || null,
    state: stateOf(data) ?? "unknown",
    ...gpusOfType(data.instanceType),
    region,
    createdAt: momentOf(data.launchTime),
    // The API has no prices.
    hourlyCost: null,
    stoppedHourlyCost: null,
    memberOf: groupOf(data)?.name ?? null,
  };
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ec2 } from "../../../src/providers/ec2/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";

/** EC2's list of instances: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html. */

const credentials = {
  access_key_id: "AKIAIOSFODNN7EXAMPLE",
  secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "eu-central-1",
};

const REF = "i-1234567890abcdef0";

const tags = (pairs: Readonly<Record<string, string>>) => {
  const items = Object.entries(pairs).map(
    ([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`,
  );
  return `<tagSet>${items.join("")}</tagSet>`;
};

function instance(id: string, type = "p5.48xlarge", state = "running", more = ""): string {
  return `<item><instanceId>${id}</instanceId><imageId>ami-1</imageId>
    <instanceState><code>16</code><name>${state}</name></instanceState><instanceType>${type}</instanceType>
    <launchTime>2026-06-01T12:00:00.000Z</launchTime><rootDeviceType>ebs</rootDeviceType>
    <placement><availabilityZone>eu-central-1a</availabilityZone></placement>${more}</item>`;
}

const reservation = (...items: readonly string[]) =>
  `<item><reservationId>r-1</reservationId><instancesSet>${items.join("")}</instancesSet></item>`;

const response = (inner: string): Reply => ({
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>${inner}</DescribeInstancesResponse>`,
});

let reply: (query: URLSearchParams) => Reply;
let fake: FakeHttp;

beforeAll(async () => {
  fake = await FakeHttp.start(({ body }) => reply(new URLSearchParams(body)));
});
afterAll(() => fake.stop());
beforeEach(() => {
  fake.calls.length = 0;
});

const shows = (...items: readonly string[]) => {
  reply = () => response(`<reservationSet>${reservation(...items)}</reservationSet>`);
};
const list = (after: string | null) => {
  const { list } = ec2(credentials, `${fake.url}/`);
  if (list === null) throw new Error("EC2 has no list");
  return list(after);
};
const first = async () => (await list(null)).machines[0];

describe("EC2's list", () => {
  it("shows each instance of the region, and no price, since the API has none", async () => {
    shows(instance(REF, "p5.48xlarge", "running", tags({ Name: "A &amp; B", team: "research" })));
    expect(await list(null)).toEqual({
      machines: [
        {
          ref: REF,
          name: "A & B",
          state: "running",
          gpu: "H100",
          gpus: 8,
          region: "eu-central-1",
          createdAt: Date.UTC(2026, 5, 1, 12),
          hourlyCost: null,
          stoppedHourlyCost: null,
          memberOf: null,
        },
      ],
      next: null,
    });
  });

  it("is read page by page, over reservations of one and of many", async () => {
    reply = (query) =>
      query.get("NextToken") === null
        ? response(
            `<reservationSet>${reservation(instance("i-00000001"), instance("i-00000002"))}${reservation(instance("i-00000003"))}</reservationSet><nextToken>a+b/c=</nextToken>`,
          )
        : response(`<reservationSet>${reservation(instance("i-00000004"))}</reservationSet><nextToken/>`);
    const page = await list(null);
    expect(page.machines.map(({ ref }) => ref)).toEqual(["i-00000001", "i-00000002", "i-00000003"]);
    expect(page.next).toBe("a+b/c=");
    expect(await list(page.next)).toMatchObject({ machines: [{ ref: "i-00000004" }], next: null });
    const queries = fake.calls.map(({ body }) => new URLSearchParams(body));
    expect(queries.map((query) => query.get("NextToken"))).toEqual([null, "a+b/c="]);
    expect(new Set(queries.map((query) => query.get("MaxResults")))).toEqual(new Set(["100"]));
  });

  it("that leads in a circle is not understood", async () => {
    reply = () =>
      response(`<reservationSet>${reservation(instance(REF))}</reservationSet><nextToken>x</nextToken>`);
    expect(await list(null)).toMatchObject({ next: "x" });
    await expect(list("x")).rejects.toMatchObject({ code: "unavailable" });
  });

  it("of no instances is empty", async () => {
    reply = () => response("<reservationSet/>");
    expect(await list(null)).toEqual({ machines: [], next: null });
  });

  it.each([
    ["pending", "starting"],
    ["running", "running"],
    ["stopping", "stopping"],
    ["shutting-down", "stopping"],
    ["stopped", "stopped"],
    ["terminated", "terminated"],
    ["dreaming", "unknown"],
  ])("shows one that is %s as %s", async (name, state) => {
    shows(instance(REF, "g5.xlarge", name));
    expect(await first()).toMatchObject({ state });
    // One call for the page, and none for each instance of it.
    expect(fake.calls).toHaveLength(1);
  });

  it.each([
    ["p4d.24xlarge", "A100", 8],
    ["p4de.24xlarge", "A100", 8],
    ["p3.2xlarge", "V100", 1],
    ["p5en.48xlarge", "H200", 8],
    ["p5.4xlarge", "H100", 1],
    ["p6-b200.48xlarge", "B200", 8],
    ["p6-b300.48xlarge", "B300", 8],
    ["p6e-gb200.36xlarge", "GB200", 4],
    ["g4dn.12xlarge", "T4", 4],
    ["g4dn.metal", "T4", 8],
    ["g5.48xlarge", "A10G", 8],
    ["g5g.16xlarge", "T4g", 2],
    ["g6.24xlarge", "L4", 4],
    ["g6f.large", "L4", 1],
    ["g6e.xlarge", "L40S", 1],
    ["g7e.12xlarge", "RTX PRO 6000", 2],
    ["t3.micro", null, 0],
    ["c7i-flex.large", null, 0],
    ["u7in-24tb.224xlarge", null, 0],
    // What is newer than the table has GPUs, but nobody knows how many.
    ["p9.48xlarge", null, null],
    ["g5.1024xlarge", "A10G", null],
    // Accelerators that are no GPUs.
    ["trn2.48xlarge", null, null],
    ["dl1.24xlarge", null, null],
    ["constructor.large", null, 0],
  ])("knows what GPUs a %s has: %s, %s", async (type, gpu, gpus) => {
    shows(instance(REF, type));
    expect(await first()).toMatchObject({ gpu, gpus });
  });

  it.each([
    [{ "aws:autoscaling:groupName": "trainers" }, "Auto Scaling group trainers"],
    [{ "aws:ec2spot:fleet-request-id": "sfr-1" }, "Spot fleet sfr-1"],
    [{ "aws:eks:cluster-name": "prod" }, "EKS cluster prod"],
    [{ "aws:eks:cluster-name": "prod", "karpenter.sh/nodepool": "gpu" }, "Karpenter node pool gpu"],
    [{ "aws:eks:cluster-name": "prod", "aws:autoscaling:groupName": "ng" }, "Auto Scaling group ng"],
    [{ "aws:elasticmapreduce:job-flow-id": "j-1" }, "EMR cluster j-1"],
    [{ AWSBatchServiceTag: "batch" }, "AWS Batch"],
    [{ AmazonECSManaged: "" }, "ECS capacity provider"],
    [{ Name: "alone", "aws:cloudformation:stack-name": "s", "aws:ec2launchtemplate:id": "lt-1" }, null],
  ])("marks what belongs to others: %o", async (pairs, memberOf) => {
    shows(instance(REF, "g5.xlarge", "running", tags(pairs)));
    expect(await first()).toMatchObject({ memberOf });
  });

  it("marks what a service manages", async () => {
    const operator = (managed: string) =>
      `<operator><managed>${managed}</managed><principal>ecs.amazonaws.com</principal></operator>`;
    shows(instance(REF, "g5.xlarge", "running", operator("true")));
    expect(await first()).toMatchObject({ memberOf: "service ecs.amazonaws.com" });
    shows(instance(REF, "g5.xlarge", "running", operator("false")));
    expect(await first()).toMatchObject({ memberOf: null });
  });

  it("keeps an instance that it can't read, and says nothing of what it does not know", async () => {
    shows(
      "<item><instanceId>i-00000001</instanceId></item>",
      instance(REF, "", "running", tags({ Name: "" })),
    );
    const { machines } = await list(null);
    expect(machines).toMatchObject([
      { ref: "i-00000001", state: "unknown", gpus: null },
      { ref: REF, state: "running", name: null, gpu: null, gpus: null },
    ]);
  });

  it.each([
    response(""),
    response("<reservationSet><item><instancesSet><item><x/></item></instancesSet></item></reservationSet>"),
    { status: 200, body: "<html>Sign in to the Wi-Fi</html>" },
    { status: 200, body: "" },
  ])("that is %j is not understood, rather than empty", async (other) => {
    reply = () => other;
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that is refused says why", async () => {
    const fault = (code: string): Reply => ({
      status: 400,
      body: `<Response><Errors><Error><Code>${code}</Code><Message>no</Message></Error></Errors></Response>`,
    });
    reply = () => fault("UnauthorizedOperation");
    await expect(list(null)).rejects.toMatchObject({ code: "unauthorised" });
    reply = () => fault("RequestLimitExceeded");
    await expect(list(null)).rejects.toMatchObject({ code: "rate_limited" });
    reply = () => fault("InvalidNextToken");
    await expect(list("forged")).rejects.toMatchObject({ code: "refused" });
  });
});

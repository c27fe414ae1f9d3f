import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ec2Url } from "../../../src/providers/ec2/api.ts";
import { ec2 } from "../../../src/providers/ec2/driver.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/**
 * EC2's query API, by https://docs.aws.amazon.com/AWSEC2/latest/APIReference: XML of the documented shapes. Each call's
 * signature is computed anew by Amazon's own library, and the call refused when the two differ.
 */

const credentials = {
  access_key_id: "AKIAIOSFODNN7EXAMPLE",
  secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "eu-central-1",
};
const target = { ref: "i-1234567890abcdef0", instanceId: "rig", actionId: "0a1b-2c3d" };

const signer = new SignatureV4({
  credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key },
  region: credentials.region,
  service: "ec2",
  sha256: Sha256,
  // The header that it would add is of S3.
  applyChecksum: false,
});

let state: string | null;
/** More of what DescribeInstances shows, as XML. */
let more: string;
let spotType: string | null;
let protections: Set<string>;
let canHibernate: boolean;
/** The actions that the keys may not call. */
let forbidden: Set<string>;
/** What is answered in place of what is asked for, if anything. */
let instead: (action: string, query: URLSearchParams) => Reply | undefined;
let images: Map<string, { id: string; state: string }>;
let fake: FakeHttp;

async function isSigned({ method, path, headers, body }: Call): Promise<boolean> {
  const authorization = headers.authorization ?? "";
  const date = String(headers["x-amz-date"]);
  const signedHeaders = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
  const signed = await signer.sign(
    {
      method,
      protocol: "http:",
      hostname: "127.0.0.1",
      path,
      headers: Object.fromEntries(signedHeaders.map((name) => [name, String(headers[name])])),
      body,
    },
    {
      signingDate: new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")),
      signableHeaders: new Set(signedHeaders),
    },
  );
  const signatureOf = (text: string | undefined) => /Signature=([0-9a-f]{64})/.exec(text ?? "")?.[1];
  return (
    signedHeaders.includes("host") &&
    signatureOf(authorization) !== undefined &&
    signatureOf(authorization) === signatureOf(signed.headers.authorization)
  );
}

const fault = (status: number, code: string, message: string): Reply => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>ea966190</RequestID></Response>`,
});

const reply = (action: string, inner: string): Reply => ({
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?>
<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>59dbff89</requestId>${inner}</${action}Response>`,
});

async function answer(call: Call): Promise<Reply> {
  if (!(await isSigned(call))) {
    return fault(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
  }
  const query = new URLSearchParams(call.body);
  const action = query.get("Action") ?? "";
  if (query.get("Version") !== "2016-11-15") return fault(400, "InvalidAction", "no such version");
  const other = instead(action, query);
  if (other !== undefined) return other;
  const id = query.get("InstanceId.1") ?? query.get("InstanceId");
  if (forbidden.has(action)) {
    return fault(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
  }
  if (action !== "DescribeImages" && id !== null && (id !== target.ref || state === null)) {
    return fault(400, "InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
  }
  if (query.get("DryRun") === "true") {
    return fault(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
  }
  switch (action) {
    case "DescribeInstances":
      return reply(
        action,
        id === null
          ? "<reservationSet/>"
          : `<reservationSet><item><reservationId>r-1</reservationId><instancesSet><item><instanceId>${id}</instanceId><instanceState><code>16</code><name>${state}</name></instanceState>${more}</item></instancesSet></item></reservationSet>`,
      );
    case "DescribeInstanceAttribute": {
      const attribute = query.get("Attribute") ?? "";
      return reply(
        action,
        `<instanceId>${id}</instanceId><${attribute}><value>${protections.has(attribute)}</value></${attribute}>`,
      );
    }
    case "DescribeSpotInstanceRequests":
      if (spotType === null) {
        return fault(
          400,
          "InvalidSpotInstanceRequestID.NotFound",
          "The spot instance request ID does not exist",
        );
      }
      return reply(
        action,
        `<spotInstanceRequestSet><item><spotInstanceRequestId>sir-1</spotInstanceRequestId><type>${spotType}</type></item></spotInstanceRequestSet>`,
      );
    case "CancelSpotInstanceRequests":
      if (spotType === null) {
        return fault(
          400,
          "InvalidSpotInstanceRequestID.NotFound",
          "The spot instance request ID does not exist",
        );
      }
      return reply(action, "<spotInstanceRequestSet><item/></spotInstanceRequestSet>");
    case "StopInstances":
      if (query.get("Hibernate") === "true" && !canHibernate) {
        return fault(
          400,
          "UnsupportedHibernationConfiguration",
          "The instance is not configured for hibernation",
        );
      }
      state = "stopped";
      return reply(action, "<instancesSet><item/></instancesSet>");
    case "StartInstances":
      state = "running";
      return reply(action, "<instancesSet><item/></instancesSet>");
    case "TerminateInstances":
      state = "terminated";
      return reply(action, "<instancesSet><item/></instancesSet>");
    case "CreateImage": {
      const name = query.get("Name") ?? "";
      if (images.has(name))
        return fault(400, "InvalidAMIName.Duplicate", `AMI name ${name} is already in use`);
      images.set(name, { id: "ami-0a1b2c3d", state: "pending" });
      return reply(action, "<imageId>ami-0a1b2c3d</imageId>");
    }
    case "DescribeImages": {
      const found = [...images].filter(
        ([name, image]) => image.id === query.get("ImageId.1") || name === query.get("Filter.1.Value.1"),
      );
      const items = found.map(
        ([, image]) => `<item><imageId>${image.id}</imageId><imageState>${image.state}</imageState></item>`,
      );
      return reply(action, items.length === 0 ? "<imagesSet/>" : `<imagesSet>${items.join("")}</imagesSet>`);
    }
    default:
      return fault(400, "InvalidAction", action);
  }
}

beforeAll(async () => {
  fake = await FakeHttp.start(answer);
});
afterAll(() => fake.stop());
beforeEach(() => {
  state = "running";
  more = "";
  spotType = null;
  protections = new Set();
  canHibernate = true;
  forbidden = new Set();
  instead = () => undefined;
  images = new Map();
  fake.calls.length = 0;
});

const provider = () => ec2(credentials, `${fake.url}/`);
const asked = () => fake.calls.map(({ body }) => new URLSearchParams(body));
const actions = () => asked().map((query) => query.get("Action"));
const CHANGES = /^(Stop|Start|Terminate|Cancel|Create)/;
const changes = () => asked().filter((query) => CHANGES.test(query.get("Action") ?? ""));

const ROOT = "<rootDeviceType>ebs</rootDeviceType>";
const SPOT =
  "<instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>sir-1</spotInstanceRequestId>";
const GROUP =
  "<tagSet><item><key>Name</key><value/></item><item><key>aws:autoscaling:groupName</key><value>trainers</value></item></tagSet>";
const FLEET = "<tagSet><item><key>aws:ec2spot:fleet-request-id</key><value>sfr-1</value></item></tagSet>";
const MANAGED = "<operator><managed>true</managed><principal>eks.amazonaws.com</principal></operator>";
const EKS = "<tagSet><item><key>aws:eks:cluster-name</key><value>prod</value></item></tagSet>";

describe("EC2", () => {
  it("hibernates and starts, every call signed as Amazon's own library signs it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: null, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(changes()[0]?.get("Hibernate")).toBe("true");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    await provider().verify(null);
    expect(changes().map((query) => query.get("Action"))).toEqual(["StopInstances", "StartInstances"]);
  });

  it("stops plainly what was not launched for hibernation, and by force when told so", async () => {
    canHibernate = false;
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(state).toBe("stopped");
    expect(changes().map((query) => query.get("Hibernate"))).toEqual(["true", null]);
    state = "running";
    await provider().forceHibernate(target);
    expect(changes().at(-1)?.get("Force")).toBe("true");
  });

  it("is done with stopping what is stopped, and does not stop what is terminated", async () => {
    state = "stopped";
    expect(await provider().hibernate(target)).toBe("done");
    expect(await provider().forceHibernate(target)).toBe("done");
    state = "terminated";
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "refused" });
    expect(changes()).toEqual([]);
  });

  it("whose instance is in between asks for patience", async () => {
    instead = (action) =>
      action === "StopInstances" ? fault(400, "IncorrectInstanceState", "is not in a state") : undefined;
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "unavailable",
      isPassing: true,
    });
  });

  it("takes one snapshot however often it is asked, and says when it is ready or failed", async () => {
    expect(await provider().snapshot(target)).toEqual({ snapshotId: "ami-0a1b2c3d", done: false });
    expect(await provider().snapshot(target)).toEqual({ snapshotId: "ami-0a1b2c3d", done: false });
    expect(images.size).toBe(1);
    expect([...images.keys()]).toEqual(["dumont-0a1b-2c3d"]);
    const image = images.get("dumont-0a1b-2c3d");
    expect(await provider().snapshotState("ami-0a1b2c3d")).toBe("pending");
    if (image) image.state = "available";
    expect(await provider().snapshotState("ami-0a1b2c3d")).toBe("ready");
    if (image) image.state = "failed";
    expect(await provider().snapshotState("ami-0a1b2c3d")).toBe("failed");
  });

  it("does not call a snapshot failed that it does not show yet", async () => {
    expect(await provider().snapshotState("ami-0a1b2c3d")).toBe("pending");
    instead = () => fault(400, "InvalidAMIID.NotFound", "The image id '[ami-0a1b2c3d]' does not exist");
    expect(await provider().snapshotState("ami-0a1b2c3d")).toBe("pending");
    // By its name it is there already, by its list not yet: asked again, it will be.
    instead = (action) =>
      action === "CreateImage" ? fault(400, "InvalidAMIName.Duplicate", "in use") : undefined;
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("takes no snapshot for a deletion that termination protection would refuse", async () => {
    protections.add("disableApiTermination");
    await expect(provider().snapshot(target)).rejects.toMatchObject({
      code: "refused",
      message: "its termination protection is on: it could not be deleted",
    });
    expect(changes()).toEqual([]);
  });

  it("takes no snapshot of a member of a group, which could not be deleted afterwards", async () => {
    more = GROUP;
    await expect(provider().snapshot(target)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/group trainers, which would replace it/),
    });
    expect(changes()).toEqual([]);
  });

  it("terminates; what is terminated it shows as that, and what it does not know is missing", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(await provider().status(target)).toEqual({ state: "terminated" });
    expect(await provider().delete(target)).toBe("done");
    state = null;
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it.each([
    ["pending", "starting"],
    ["stopping", "stopping"],
    ["shutting-down", "stopping"],
    ["stopped", "stopped"],
    ["dreaming", "unknown"],
  ])("in state %s is %s", async (name, expected) => {
    state = name;
    expect(await provider().status(target)).toMatchObject({ state: expected });
  });

  it.each([
    ["belongs to an Auto Scaling group", ROOT + GROUP, null, /group trainers, which would replace it/],
    ["belongs to a Spot fleet", ROOT + FLEET, null, /Spot fleet sfr-1, which would replace it/],
    ["is run by a service", ROOT + MANAGED, null, /service eks.amazonaws.com, which would replace it/],
    ["lives on an instance store", "<rootDeviceType>instance-store</rootDeviceType>", null, /instance store/],
    ["is a one-time spot instance", ROOT + SPOT, "one-time", /one-time spot instance can't be stopped/],
    [
      "is a spot instance of a request that is not shown",
      ROOT + SPOT,
      null,
      /sir-1 is not shown as persistent/,
    ],
  ])("that %s can't be stopped, says why, and is not", async (_, xml, type, obstacle) => {
    more = xml;
    spotType = type;
    expect(await provider().status(target)).toMatchObject({
      state: "running",
      obstacle: expect.stringMatching(obstacle),
    });
    for (const order of [provider().hibernate, provider().forceHibernate]) {
      await expect(order(target)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(obstacle),
      });
    }
    expect(changes()).toEqual([]);
  });

  it("with stop protection can't be stopped; unreadable protection stands in nobody's way", async () => {
    protections.add("disableApiStop");
    expect(await provider().status(target)).toMatchObject({ obstacle: "its stop protection is on" });
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "refused" });
    expect(changes()).toEqual([]);
    forbidden.add("DescribeInstanceAttribute");
    expect(await provider().status(target)).toMatchObject({ obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
  });

  it("asks for protection only while there is something to stop", async () => {
    for (state of ["stopping", "stopped", "pending"]) await provider().status(target);
    expect(actions()).toEqual(["DescribeInstances", "DescribeInstances", "DescribeInstances"]);
  });

  it("as a persistent spot instance can be stopped; deleted, its request is cancelled first", async () => {
    more = ROOT + SPOT;
    spotType = "persistent";
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(await provider().delete(target)).toBe("accepted");
    expect(changes().map((query) => query.get("Action"))).toEqual([
      "StopInstances",
      "CancelSpotInstanceRequests",
      "TerminateInstances",
    ]);
    expect(changes()[1]?.get("SpotInstanceRequestId.1")).toBe("sir-1");
  });

  it("does not terminate a spot instance whose request it could not cancel", async () => {
    more = ROOT + SPOT;
    spotType = "persistent";
    forbidden.add("CancelSpotInstanceRequests");
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "unauthorised" });
    expect(actions()).not.toContain("TerminateInstances");
    // A request that is not there any more starts nothing.
    forbidden.clear();
    spotType = null;
    expect(await provider().delete(target)).toBe("accepted");
  });

  it.each([
    ["an Auto Scaling group", GROUP],
    ["a Spot fleet", FLEET],
    ["a service", MANAGED],
  ])("does not delete a member of %s, which would be replaced", async (_, xml) => {
    more = xml;
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "refused" });
    expect(changes()).toEqual([]);
  });

  it("stops a node of a cluster that nobody would replace", async () => {
    more = ROOT + EKS;
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
  });

  it("tags a snapshot with its instance, where the keys may", async () => {
    await provider().snapshot(target);
    const [query] = changes();
    expect([...(query ?? [])].filter(([name]) => name.startsWith("TagSpecification."))).toEqual([
      ["TagSpecification.1.ResourceType", "image"],
      ["TagSpecification.1.Tag.1.Key", "dumont-instance"],
      ["TagSpecification.1.Tag.1.Value", "rig"],
    ]);
  });

  it.each(["UnauthorizedOperation", "TagPolicyViolation"])(
    "takes a snapshot without tags where tags are refused with %s",
    async (code) => {
      instead = (action, query) =>
        action === "CreateImage" && query.has("TagSpecification.1.ResourceType")
          ? fault(403, code, "You are not authorized to perform: ec2:CreateTags")
          : undefined;
      expect(await provider().snapshot(target)).toEqual({ snapshotId: "ami-0a1b2c3d", done: false });
      expect(await provider().snapshot(target)).toEqual({ snapshotId: "ami-0a1b2c3d", done: false });
      expect(images.size).toBe(1);
    },
  );

  it.each([
    [400, "InvalidInstanceID.NotFound", "not_found"],
    [400, "InvalidInstanceID.Malformed", "refused"],
    [400, "OperationNotPermitted", "refused"],
    [503, "RequestLimitExceeded", "rate_limited"],
    [400, "EC2ThrottledException", "rate_limited"],
    [400, "ThrottlingException", "rate_limited"],
    [500, "InsufficientInstanceCapacity", "no_capacity"],
    [400, "InsufficientReservedInstanceCapacity", "no_capacity"],
    [400, "VcpuLimitExceeded", "no_capacity"],
    [400, "InstanceLimitExceeded", "no_capacity"],
    [500, "InsufficientCapacityOnHost", "no_capacity"],
    [400, "ExpiredToken", "unauthorised"],
    [400, "MissingAuthenticationToken", "unauthorised"],
    [400, "PendingVerification", "unauthorised"],
    [401, "AuthFailure", "unauthorised"],
    [400, "InvalidClientTokenId", "unauthorised"],
    [400, "AccessDenied", "unauthorised"],
    [400, "IncompleteSignature", "unauthorised"],
    [400, "UnrecognizedClientException", "unauthorised"],
    [400, "RequestThrottled", "rate_limited"],
    [400, "TooManyRequestsException", "rate_limited"],
    // Its signature is too old: the next one is new.
    [400, "RequestExpired", "unavailable"],
    [400, "Unavailable", "unavailable"],
    [400, "ServiceUnavailable", "unavailable"],
    [400, "InternalFailure", "unavailable"],
    [500, "InternalError", "unavailable"],
    [400, "SomethingNew", "refused"],
  ])("with %i %s means %s", async (status, ec2Code, code) => {
    instead = () => fault(status, ec2Code, "so it is");
    await expect(provider().wake(target)).rejects.toMatchObject({ code });
  });

  it("that names several errors means the first", async () => {
    instead = () => ({
      status: 400,
      body: `<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>a</Message></Error><Error><Code>InternalError</Code><Message>b</Message></Error></Errors></Response>`,
    });
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "rate_limited" });
  });

  it.each([
    [403, "UnauthorizedOperation", "call"],
    [403, "AccessDenied", "call"],
    [403, "InvalidClientTokenId", "credentials"],
    [403, "SignatureDoesNotMatch", "credentials"],
    [401, "AuthFailure", "credentials"],
    [400, "IncorrectInstanceState", null],
  ])("with %i %s has denied %j", async (status, ec2Code, denied) => {
    instead = () => fault(status, ec2Code, "so it is");
    await expect(provider().wake(target)).rejects.toMatchObject({ denied });
  });

  it.each([
    [
      "another service's error of the same name",
      400,
      "<ErrorResponse><Error><Code>InvalidInstanceID.NotFound</Code><Message>x</Message></Error></ErrorResponse>",
      "refused",
    ],
    ["a proxy's page", 404, "<html><body><p>404 Not Found</p></body></html>", "refused"],
    ["a retired API", 410, "Gone", "refused"],
    ["a gateway without words", 503, "", "unavailable"],
    ["a gateway's JSON", 429, '{"message":"slow down"}', "rate_limited"],
    ["a firewall", 403, "<html>blocked", "unauthorised"],
  ])("behind %s is read by its status, and never missing", async (_, status, body, code) => {
    instead = () => ({ status, body });
    await expect(provider().wake(target)).rejects.toMatchObject({ code });
    const seen = await provider()
      .status(target)
      .catch((error: unknown) => error);
    expect(seen).toMatchObject(code === "refused" ? { state: "unknown" } : { code });
  });

  it.each(["", "<html>Sign in to the Wi-Fi</html>", "<StopInstancesResponse><instancesSet>"])(
    "has accepted nothing with a 200 and %j",
    async (body) => {
      instead = (action) => (action.startsWith("Describe") ? undefined : { status: 200, body });
      for (const order of [provider().hibernate, provider().wake, provider().delete]) {
        await expect(order(target)).rejects.toMatchObject({ code: "unavailable" });
      }
    },
  );

  it("that answers without the instance leaves it unknown", async () => {
    instead = () => reply("DescribeInstances", "<reservationSet/>");
    expect(await provider().status(target)).toMatchObject({ state: "unknown" });
  });

  it("is tried by dry runs of every order, the most harmless first", async () => {
    await provider().verify(target);
    expect(changes().map((query) => [query.get("Action"), query.get("DryRun")])).toEqual([
      ["CreateImage", "true"],
      ["StartInstances", "true"],
      ["StopInstances", "true"],
      ["TerminateInstances", "true"],
    ]);
    expect(state).toBe("running");
    more = SPOT;
    spotType = "persistent";
    await provider().verify(target);
    expect(changes().map((query) => query.get("Action"))).toContain("CancelSpotInstanceRequests");
  });

  it.each(["CreateImage", "StartInstances", "StopInstances", "TerminateInstances", "DescribeInstances"])(
    "with keys that may not call %s is not good enough",
    async (action) => {
      forbidden.add(action);
      await expect(provider().verify(target)).rejects.toMatchObject({ code: "unauthorised" });
    },
  );

  it("is refused when it does not heed a dry run, before anything is lost by it", async () => {
    instead = (action) => (action === "CreateImage" ? reply(action, "<imageId>ami-1</imageId>") : undefined);
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "refused" });
    expect(actions()).toEqual(["DescribeInstances", "CreateImage"]);
  });

  it("with wrong keys says so", async () => {
    const stranger = ec2({ ...credentials, secret_access_key: "wrong-wrong-wrong-wrong" }, `${fake.url}/`);
    await expect(stranger.verify(null)).rejects.toMatchObject({ code: "unauthorised", isPassing: false });
    await expect(stranger.status(target)).rejects.toMatchObject({ code: "unauthorised" });
  });

  it.each([
    ["eu-central-1", "https://ec2.eu-central-1.amazonaws.com/"],
    ["us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com/"],
    ["cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn/"],
  ])("in %s is at %s", (region, url) => {
    expect(ec2Url(region)).toBe(url);
  });
});

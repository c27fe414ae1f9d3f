import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ec2 } from "../../../src/actions/providers/ec2.ts";
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
let canHibernate: boolean;
let capacity: boolean;
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
  const id = query.get("InstanceId.1") ?? query.get("InstanceId");
  if (id === "i-throttled") return fault(503, "RequestLimitExceeded", "Request limit exceeded.");
  if (action !== "DescribeImages" && id !== null && (id !== target.ref || state === null)) {
    return fault(400, "InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
  }
  switch (action) {
    case "DescribeInstances":
      return reply(
        action,
        id === null
          ? "<reservationSet/>"
          : `<reservationSet><item><reservationId>r-1</reservationId><instancesSet><item><instanceId>${id}</instanceId><instanceState><code>16</code><name>${state}</name></instanceState></item></instancesSet></item></reservationSet>`,
      );
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
      if (!capacity)
        return fault(500, "InsufficientInstanceCapacity", "We currently do not have sufficient capacity");
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
  canHibernate = true;
  capacity = true;
  images = new Map();
  fake.calls.length = 0;
});

const provider = () => ec2(credentials, `${fake.url}/`);

describe("EC2", () => {
  it("hibernates and starts, every call signed as Amazon's own library signs it", async () => {
    expect(await provider().status(target)).toBe("running");
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toBe("stopped");
    await provider().wake(target);
    expect(await provider().status(target)).toBe("running");
    await provider().verify();
    expect(fake.calls).toHaveLength(6);
    expect(new URLSearchParams(fake.calls[1]?.body).get("Hibernate")).toBe("true");
  });

  it("stops plainly what was not launched for hibernation, and by force when told so", async () => {
    canHibernate = false;
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(state).toBe("stopped");
    expect(fake.calls.map((call) => new URLSearchParams(call.body).get("Hibernate"))).toEqual(["true", null]);
    state = "running";
    await provider().forceHibernate(target);
    expect(new URLSearchParams(fake.calls.at(-1)?.body).get("Force")).toBe("true");
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

  it("terminates; what is terminated, or unknown, is gone", async () => {
    await provider().delete(target);
    expect(await provider().status(target)).toBe("gone");
    state = null;
    expect(await provider().status(target)).toBe("gone");
  });

  it.each([
    ["pending", "starting"],
    ["stopping", "stopping"],
    ["shutting-down", "stopping"],
    ["stopped", "stopped"],
  ])("in state %s is %s", async (name, expected) => {
    state = name;
    expect(await provider().status(target)).toBe(expected);
  });

  it("without capacity, with wrong keys, and asked too often says so, each in its way", async () => {
    capacity = false;
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "no_capacity", isPassing: true });
    const stranger = ec2({ ...credentials, secret_access_key: "wrong-wrong-wrong-wrong" }, `${fake.url}/`);
    await expect(stranger.verify()).rejects.toMatchObject({ code: "unauthorised", isPassing: false });
    await expect(provider().hibernate({ ...target, ref: "i-throttled" })).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
    });
    await expect(provider().hibernate({ ...target, ref: "i-unknown" })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

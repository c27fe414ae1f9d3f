import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import {
  type MachineState,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
  request,
  type Target,
} from "./provider.ts";

/**
 * Amazon EC2, by its query API, signed with Signature Version 4. Hibernation falls back to a plain stop where the
 * instance was not launched for it; either way a stopped instance pays for its disks alone.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html, API_StartInstances,
 * API_CreateImage, API_DescribeImages, API_TerminateInstances, API_DescribeInstances; error codes:
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html.
 */

export const ec2CredentialsSchema = z.strictObject({
  access_key_id: z.string().regex(/^[A-Z0-9]{16,128}$/, "must be an access key id"),
  secret_access_key: z.string().min(16).max(256),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region, such as us-east-1"),
});

const API_VERSION = "2016-11-15";

const errorSchema = z.object({
  Response: z.object({ Errors: z.object({ Error: z.object({ Code: z.string(), Message: z.string() }) }) }),
});

const instancesSchema = z.object({
  DescribeInstancesResponse: z.object({
    reservationSet: z.object({
      item: z.array(
        z.object({
          instancesSet: z.object({
            item: z.array(z.object({ instanceState: z.object({ name: z.string() }) })),
          }),
        }),
      ),
    }),
  }),
});

const createdImageSchema = z.object({ CreateImageResponse: z.object({ imageId: z.string() }) });

const imagesSchema = z.object({
  DescribeImagesResponse: z.object({
    imagesSet: z.object({
      item: z.array(z.object({ imageId: z.string(), imageState: z.string() })),
    }),
  }),
});

// Lists of one look like single elements, and an empty list like a text.
const parser = new XMLParser({
  ignoreAttributes: true,
  isArray: (name) => name === "item",
  parseTagValue: false,
});

export function ec2(
  credentials: z.infer<typeof ec2CredentialsSchema>,
  baseUrl = `https://ec2.${credentials.region}.amazonaws.com/`,
): Provider {
  const client = new AwsClient({
    accessKeyId: credentials.access_key_id,
    secretAccessKey: credentials.secret_access_key,
    region: credentials.region,
    service: "ec2",
    // Retries are the workflow's.
    retries: 0,
  });

  const call = async (action: string, parameters: Record<string, string>): Promise<unknown> => {
    const signed = await client.sign(baseUrl, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: new URLSearchParams({ Action: action, Version: API_VERSION, ...parameters }).toString(),
    });
    const response = await request("EC2", signed);
    const answer: unknown = parser.parse(await response.text());
    if (response.ok) return answer;
    const error = errorSchema.safeParse(answer).data?.Response.Errors.Error;
    const code = error?.Code ?? `status ${response.status}`;
    throw new Ec2Error(code, response.status, `EC2 ${action}: ${code}: ${error?.Message ?? "no message"}`);
  };

  const onInstance = (target: Target) => ({ "InstanceId.1": target.ref });

  return {
    hibernate: async (target) => {
      try {
        await call("StopInstances", { ...onInstance(target), Hibernate: "true" });
      } catch (error) {
        if (!(error instanceof Ec2Error) || !CANNOT_HIBERNATE.has(error.ec2Code)) throw error;
        await call("StopInstances", onInstance(target));
      }
      return "accepted";
    },
    forceHibernate: async (target) => {
      await call("StopInstances", { ...onInstance(target), Force: "true" });
      return "accepted";
    },
    wake: async (target) => {
      await call("StartInstances", onInstance(target));
      return "accepted";
    },
    delete: async (target) => {
      await call("TerminateInstances", onInstance(target));
      return "accepted";
    },
    snapshot: async (target) => {
      // CreateImage takes no idempotency token, but a name is given once: by it a repeated call finds its image.
      const name = `dumont-${target.actionId}`;
      try {
        const created = await call("CreateImage", { InstanceId: target.ref, Name: name, NoReboot: "true" });
        return { snapshotId: createdImageSchema.parse(created).CreateImageResponse.imageId, done: false };
      } catch (error) {
        if (!(error instanceof Ec2Error) || error.ec2Code !== "InvalidAMIName.Duplicate") throw error;
        const found = await call("DescribeImages", {
          "Owner.1": "self",
          "Filter.1.Name": "name",
          "Filter.1.Value.1": name,
        });
        const [image] = imagesSchema.parse(found).DescribeImagesResponse.imagesSet.item;
        return { snapshotId: image?.imageId ?? null, done: false };
      }
    },
    snapshotState: async (snapshotId) => {
      const found = await call("DescribeImages", { "ImageId.1": snapshotId });
      const [image] = imagesSchema.parse(found).DescribeImagesResponse.imagesSet.item;
      switch (image?.imageState) {
        case "available":
          return "ready";
        case "pending":
        case "transient":
          return "pending";
        default:
          return "failed";
      }
    },
    status: async (target) => {
      try {
        const found = instancesSchema.safeParse(await call("DescribeInstances", onInstance(target))).data;
        const state = found?.DescribeInstancesResponse.reservationSet.item[0]?.instancesSet.item[0];
        return stateOf(state?.instanceState.name);
      } catch (error) {
        if (error instanceof ProviderError && error.code === "not_found") return "gone";
        throw error;
      }
    },
    verify: async () => {
      await call("DescribeInstances", { MaxResults: "5" });
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

class Ec2Error extends ProviderError {
  readonly ec2Code: string;

  constructor(ec2Code: string, status: number, message: string) {
    super(codeOf(ec2Code, status), message);
    this.ec2Code = ec2Code;
  }
}

function codeOf(code: string, status: number): ProviderErrorCode {
  switch (code) {
    case "InvalidInstanceID.NotFound":
      return "not_found";
    case "AuthFailure":
    case "UnauthorizedOperation":
    case "InvalidClientTokenId":
    case "SignatureDoesNotMatch":
    case "OptInRequired":
    case "Blocked":
      return "unauthorised";
    case "RequestLimitExceeded":
    case "Throttling":
      return "rate_limited";
    case "InsufficientInstanceCapacity":
    case "InsufficientHostCapacity":
      return "no_capacity";
    // Stopping or starting: what it is asked for is not possible yet.
    case "IncorrectInstanceState":
    case "IncorrectState":
      return "unavailable";
    default:
      return status >= 500 ? "unavailable" : "refused";
  }
}

function stateOf(name: string | undefined): MachineState {
  switch (name) {
    case "pending":
      return "starting";
    case "running":
      return "running";
    case "stopping":
    case "shutting-down":
      return "stopping";
    case "stopped":
      return "stopped";
    case "terminated":
      return "gone";
    default:
      return "unknown";
  }
}

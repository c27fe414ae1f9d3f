import { AwsClient } from "aws4fetch";
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { type Answer, ask, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import { type Denied, ProviderError, type ProviderErrorCode } from "../provider.ts";

/**
 * EC2's query API, signed with Signature Version 4. Error codes:
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html.
 */

export const ec2CredentialsSchema = z.strictObject({
  access_key_id: z.string().regex(/^[A-Z0-9]{16,128}$/, "must be an access key id"),
  secret_access_key: z.string().min(16).max(256),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region, such as us-east-1"),
});

export type Ec2Credentials = z.infer<typeof ec2CredentialsSchema>;

const API_VERSION = "2016-11-15";

/** China is a partition of its own, with a domain of its own. */
export function ec2Url(region: string): string {
  return `https://ec2.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/`;
}

/** An error with a code of EC2's own. */
export class Ec2Error extends ProviderError {
  readonly ec2Code: string;

  constructor(ec2Code: string, error: ProviderError) {
    super(error.code, error.message, error.retryAfterSeconds, deniedBy(ec2Code));
    this.ec2Code = ec2Code;
  }
}

/** One call. Returns the content of its `…Response`, which must have this shape; anything else is a `ProviderError`. */
export type Ec2Call = <T>(
  action: string,
  parameters: Readonly<Record<string, string>>,
  shape: z.ZodType<T>,
) => Promise<T>;

export function ec2Calls(credentials: Ec2Credentials, baseUrl: string): Ec2Call {
  const client = new AwsClient({
    accessKeyId: credentials.access_key_id,
    secretAccessKey: credentials.secret_access_key,
    region: credentials.region,
    service: "ec2",
    // The workflow retries.
    retries: 0,
  });
  return async (action, parameters, shape) => {
    const signed = await client.sign(baseUrl, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: new URLSearchParams({ Action: action, Version: API_VERSION, ...parameters }).toString(),
    });
    const answer = await ask(`EC2 ${action}`, signed);
    const xml = parseXml(answer.text);
    if (!isSuccess(answer)) throw errorOfAnswer(answer, xml);
    const body = z.object({ [`${action}Response`]: shape }).safeParse(xml).data?.[`${action}Response`];
    if (body === undefined) throw notUnderstood(answer);
    return body;
  };
}

// A list with one entry looks like a single element, and an empty list like text.
const parser = new XMLParser({
  ignoreAttributes: true,
  isArray: (name) => name === "item",
  parseTagValue: false,
});

/** Null when it is not XML. */
function parseXml(text: string): unknown {
  try {
    return parser.parse(text, true);
  } catch {
    return null;
  }
}

/** A list that is there. One without entries is an empty element. */
export function fullListOf<T>(item: z.ZodType<T>) {
  return z
    .union([z.object({ item: z.array(item) }), z.literal("")])
    .transform((list) => (list === "" ? [] : list.item));
}

/** A list, which may be absent when it has no entries. */
export function listOf<T>(item: z.ZodType<T>) {
  return fullListOf(item)
    .optional()
    .transform((list) => list ?? []);
}

const namedSchema = z.object({ Code: z.string(), Message: z.string() });

const errorSchema = z.object({
  Response: z.object({
    Errors: z.object({ Error: z.union([namedSchema, z.array(namedSchema).min(1)]) }),
  }),
});

function errorOfAnswer(answer: Answer, xml: unknown): ProviderError {
  const found = errorSchema.safeParse(xml).data?.Response.Errors.Error;
  const named = Array.isArray(found) ? found[0] : found;
  if (named === undefined) return errorOf(answer, null);
  const error = errorOf(answer, codeOf(named.Code), `${named.Code}: ${named.Message}`);
  return new Ec2Error(named.Code, error);
}

/** EC2 answers 403 to a key that it does not know, too. */
function deniedBy(ec2Code: string): Denied {
  return ec2Code === "AccessDenied" || ec2Code === "UnauthorizedOperation" ? "call" : "credentials";
}

/** Null for a code that is not known: then the HTTP status decides. */
function codeOf(ec2Code: string): ProviderErrorCode | null {
  switch (ec2Code) {
    case "InvalidInstanceID.NotFound":
      return "not_found";
    case "AccessDenied":
    case "AuthFailure":
    case "Blocked":
    case "ExpiredToken":
    case "IncompleteSignature":
    case "InvalidClientTokenId":
    case "MissingAuthenticationToken":
    case "OptInRequired":
    case "PendingVerification":
    case "SignatureDoesNotMatch":
    case "UnauthorizedOperation":
    case "UnrecognizedClientException":
      return "unauthorised";
    case "EC2ThrottledException":
    case "RequestLimitExceeded":
    case "RequestThrottled":
    case "SnapshotCreationPerVolumeRateExceeded":
    case "Throttling":
    case "ThrottlingException":
    case "TooManyRequestsException":
      return "rate_limited";
    case "InstanceLimitExceeded":
    case "InsufficientCapacity":
    case "InsufficientCapacityOnHost":
    case "InsufficientHostCapacity":
    case "InsufficientInstanceCapacity":
    case "InsufficientReservedInstanceCapacity":
    case "VcpuLimitExceeded":
      return "no_capacity";
    // It is just stopping or starting, so the order is not possible yet.
    case "IncorrectInstanceState":
    case "IncorrectState":
    // The next try has a new signature.
    case "RequestExpired":
    case "InternalError":
    case "InternalFailure":
    case "ServiceUnavailable":
    case "Unavailable":
      return "unavailable";
    default:
      return null;
  }
}

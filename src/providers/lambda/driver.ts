import { z } from "zod";
import {
  type Answer,
  ask,
  decodeJson,
  errorOf,
  isSuccess,
  notUnderstood,
  requireReference,
  sight,
} from "../answer.ts";
import { refusingSnapshots, refusingStops } from "../only-deletes.ts";
import { type Provider, ProviderError, type ProviderErrorCode, type Target } from "../provider.ts";
import { type Instance, instanceSchema, listedMachine, listedSchema, sightingOf } from "./instance.ts";

/**
 * Lambda Cloud, API 1.10. An instance is billed from its first health check until it is terminated, whether it is used or not, and
 * there is no way to stop or to copy it. https://docs.lambda.ai/api/cloud (its spec.json): `GET /instances`,
 * `GET /instances/{id}`, `POST /instance-operations/terminate`, and the codes of its errors;
 * https://docs.lambda.ai/public-cloud/billing.
 */

export const lambdaCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

const LAMBDA_API = "https://cloud.lambda.ai/api/v1";

const BILLED = "it is billed until it is terminated";

const foundSchema = z.object({ data: instanceSchema });
const listSchema = z.object({ data: z.array(listedSchema) });
const terminatedSchema = z.object({
  data: z.object({ terminated_instances: z.array(z.object({ id: z.string() })) }),
});

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Why an instance can't be terminated just now. It can be asked again. */
const PASSING_REASONS: readonly string[] = ["vm-has-not-launched", "vm-action-in-progress"];

export function lambda(credentials: z.infer<typeof lambdaCredentialsSchema>, baseUrl = LAMBDA_API): Provider {
  const call = async <T>(path: string, shape: z.ZodType<T>, order?: unknown): Promise<T> => {
    const answer = await ask("Lambda Cloud", `${baseUrl}${path}`, {
      method: order === undefined ? "GET" : "POST",
      headers: { Authorization: `Bearer ${credentials.api_key}`, "Content-Type": "application/json" },
      ...(order === undefined ? {} : { body: JSON.stringify(order) }),
    });
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    const body = decodeJson(shape, answer.text);
    if (body === null) throw notUnderstood(answer);
    return body;
  };

  const read = async (target: Target): Promise<Instance> => {
    requireReference("lambda", target);
    const { data } = await call(`/instances/${encodeURIComponent(target.ref)}`, foundSchema);
    if (data.id === target.ref) return data;
    throw new ProviderError("unavailable", `Lambda Cloud was asked for ${target.ref}, and showed ${data.id}`);
  };

  const listAll = async () => (await call("/instances", listSchema)).data;

  return {
    ...refusingStops("Lambda Cloud", BILLED),
    ...refusingSnapshots("Lambda Cloud cannot take snapshots"),
    delete: async (target) => {
      const instance = await read(target);
      if (instance.status === "terminated") return "done";
      if (instance.status === "terminating") return "accepted";
      refuseIfUnavailable(instance);
      const { data } = await call("/instance-operations/terminate", terminatedSchema, {
        instance_ids: [target.ref],
      });
      if (data.terminated_instances.some(({ id }) => id === target.ref)) return "accepted";
      throw new ProviderError(
        "unavailable",
        `Lambda Cloud does not name ${target.ref} among what it terminated`,
      );
    },
    status: (target) => sight(async () => sightingOf(await read(target))),
    list: async () => ({ machines: (await listAll()).map(listedMachine), next: null }),
    verify: async (target) => {
      if (target === null) await listAll();
      else await read(target);
    },
  };
}

function refuseIfUnavailable({ actions }: Instance): void {
  const terminate = actions?.terminate;
  if (terminate == null || terminate.available) return;
  const code = terminate.reason_code ?? "";
  throw new ProviderError(
    PASSING_REASONS.includes(code) ? "unavailable" : "refused",
    `Lambda Cloud can't terminate it now: ${terminate.reason_description ?? code}`,
  );
}

function errorOfAnswer(answer: Answer): ProviderError {
  const error = decodeJson(errorSchema, answer.text)?.error;
  return error === undefined
    ? errorOf(answer, null)
    : errorOf(answer, codeOf(answer, error.code), `${error.code}: ${error.message}`);
}

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf({ status }: Answer, code: string): ProviderErrorCode | null {
  switch (code) {
    case "global/object-does-not-exist":
      return status === 404 ? "not_found" : null;
    case "global/invalid-api-key":
    case "global/account-inactive":
    case "global/forbidden":
      return "unauthorised";
    case "global/conflict":
    case "global/internal-error":
      return "unavailable";
    default:
      return null;
  }
}

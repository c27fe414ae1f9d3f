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
import {
  type Progress,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
  type Target,
} from "../provider.ts";
import {
  foundSchema,
  type Instance,
  instancesSchema,
  isFree,
  listedMachine,
  STILL_RESERVED,
  sightingOf,
  statusOf,
} from "./instance.ts";

/**
 * TensorDock, API v2. An instance's disk stays on its host; whether a stop ends the billing of its GPUs is not documented.
 * https://dashboard.tensordock.com/api/docs/instance-management and …/getting-started; errors, which also come within a 200,
 * as its Terraform provider reads them: https://github.com/apartmentlines/terraform-provider-tensordock.
 */

export const tensordockCredentialsSchema = z.strictObject({ api_token: z.string().min(8).max(512) });

const TENSORDOCK_API = "https://dashboard.tensordock.com/api/v2";

/** The answer to a start or a stop: the instance with its next status. */
const changedSchema = z.object({
  data: z.union([
    z.object({ attributes: z.object({ status: z.string() }) }).transform(({ attributes }) => attributes),
    z.object({ status: z.string() }),
  ]),
});

const deletedSchema = z.object({ data: z.object({ type: z.literal("success") }) });

/** TensorDock's errors: the words, and a status that may be another one than the answer's. */
const errorSchema = z.union([
  z.object({ error: z.string(), status: z.number().optional() }),
  z
    .object({
      errors: z.array(z.object({ title: z.string().nullish(), detail: z.string().nullish() })).min(1),
    })
    .transform(({ errors: [first] }) => ({
      error: first?.detail ?? first?.title ?? "",
      status: undefined,
    })),
]);

/** Nothing but the words says what is not there. */
const NO_INSTANCE = /\b(instance|virtual machine|server)\b.*\bnot found\b/i;

const NO_CAPACITY =
  /hostnode unavailable|\b(not enough|insufficient|no) (available |free )?(gpus?|resources|capacity)\b/i;

export function tensordock(
  credentials: z.infer<typeof tensordockCredentialsSchema>,
  baseUrl = TENSORDOCK_API,
): Provider {
  const call = async <T>(
    method: "GET" | "POST" | "DELETE",
    path: string,
    shape: z.ZodType<T>,
  ): Promise<T> => {
    const answer = await ask("TensorDock", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_token}`, Accept: "application/json" },
    });
    const error = decodeJson(errorSchema, answer.text);
    if (!isSuccess(answer) || error !== null) throw errorOf(answer, codeOf(answer, error), error?.error);
    const body = decodeJson(shape, answer.text);
    if (body === null) throw notUnderstood(answer);
    return body;
  };

  const read = async (target: Target): Promise<Instance> => {
    const instance = await call("GET", pathOf(target), foundSchema);
    if (instance.id === target.ref) return instance;
    throw new ProviderError(
      "unavailable",
      `TensorDock was asked for ${target.ref}, and showed ${instance.id}`,
    );
  };

  /** `expected`: what the answer may name as its status, if the order was heard. */
  const change = async (
    target: Target,
    verb: "start" | "stop",
    expected: readonly string[],
  ): Promise<Progress> => {
    const { data } = await call("POST", `${pathOf(target)}/${verb}`, changedSchema);
    if (expected.includes(statusOf(data.status) ?? "")) return "accepted";
    throw new ProviderError("unavailable", `TensorDock answered the order to ${verb} with ${data.status}`);
  };

  const stop = async (target: Target): Promise<Progress> => {
    const instance = await read(target);
    switch (statusOf(instance.status)) {
      case "stoppeddisassociated":
        return "done";
      case "stopped":
        if (isFree(instance)) return "done";
        throw new ProviderError("refused", STILL_RESERVED);
      case "stopping":
        return "accepted";
      default:
        return change(target, "stop", ["stopping", "stopped", "stoppeddisassociated"]);
    }
  };

  return {
    hibernate: stop,
    forceHibernate: stop,
    wake: async (target) => {
      const { status } = await read(target);
      const known = statusOf(status);
      // Whether it has come up is for a look to say.
      if (known === "running" || known === "starting") return "accepted";
      if (known === "stopping") {
        throw new ProviderError("unavailable", `TensorDock shows it as ${status}: it takes no order now`);
      }
      return change(target, "start", ["starting", "running"]);
    },
    delete: async (target) => {
      const known = statusOf((await read(target)).status);
      if (known === "deleted") return "done";
      if (known !== "deleting") await call("DELETE", pathOf(target), deletedSchema);
      return "accepted";
    },
    snapshot: async () => {
      throw new ProviderError("unsupported", "TensorDock cannot take snapshots");
    },
    snapshotState: async () => "failed",
    status: (target) => sight(async () => sightingOf(await read(target))),
    list: async () => ({
      machines: (await call("GET", "/instances", instancesSchema)).map(listedMachine),
      next: null,
    }),
    verify: async (target) => {
      if (target === null) await call("GET", "/instances", instancesSchema);
      else await read(target);
    },
  };
}

function pathOf(target: Target): string {
  requireReference("tensordock", target);
  return `/instances/${encodeURIComponent(target.ref)}`;
}

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf(answer: Answer, error: z.infer<typeof errorSchema> | null): ProviderErrorCode | null {
  if (error === null) return null;
  if (NO_CAPACITY.test(error.error)) return "no_capacity";
  if (isSuccess(answer)) {
    // An error within a success: its own status says more.
    return error.status === undefined || error.status < 400
      ? "refused"
      : errorOf({ ...answer, status: error.status }, null).code;
  }
  return answer.status === 404 && NO_INSTANCE.test(error.error) ? "not_found" : null;
}

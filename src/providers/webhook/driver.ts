import { z } from "zod";
import { postSigned } from "../../outbound/call.ts";
import { publicUrlSchema, webhookSecretSchema } from "../../outbound/endpoint.ts";
import { type Answer, decodeJson, errorOf, isSuccess, requireReference, sight } from "../answer.ts";
import { type Provider, ProviderError, type ProviderOrder, type Sighting, type Target } from "../provider.ts";

/**
 * Any control plane of the user's own. Each order is one POST, signed by Standard Webhooks
 * (https://www.standardwebhooks.com); its `webhook-id` stays the same when the order is repeated. The control plane
 * answers `{"status":"done"}` at once, or 202 and later calls `POST /api/agent/actions/{action_id}/result`.
 */

export const webhookCredentialsSchema = (allowLoopback: boolean) =>
  z.strictObject({ url: publicUrlSchema(allowLoopback), secret: webhookSecretSchema });

const orderSchema = z.object({
  status: z.enum(["accepted", "done"]).default("accepted"),
  snapshot_id: z.string().min(1).max(500).nullish().catch(null),
});

const lookSchema = z.object({
  state: z.enum(["running", "starting", "stopping", "stopped", "gone", "unknown"]),
  gpus: z.number().int().min(0).nullish(),
  obstacle: z.string().min(1).max(500).nullish(),
});

export function webhook(
  credentials: { readonly url: string; readonly secret: string },
  allowLoopback: boolean,
): Provider {
  const post = async (
    type: ProviderOrder | "status" | "ping",
    messageId: string,
    data: unknown,
  ): Promise<Answer> => {
    const body = JSON.stringify({ type: `instance.${type}`, timestamp: new Date().toISOString(), data });
    const got = await postSigned(credentials, messageId, body, allowLoopback).catch((error: unknown) => {
      throw new ProviderError("unavailable", `the webhook does not answer: ${String(error)}`);
    });
    const answer = { ...got, provider: "the webhook", text: got.body };
    if (!isSuccess(answer)) throw errorOf(answer, null);
    return answer;
  };

  const give = async (order: ProviderOrder, target: Target): Promise<z.infer<typeof orderSchema>> => {
    const answer = await post(order, `${target.actionId}-${order}`, dataOf(target));
    // An answer without JSON, such as a bare 202, is a yes. An answer with a status of its own invention is not.
    const json = decodeJson(z.record(z.string(), z.unknown()), answer.text) ?? {};
    const { data, success } = orderSchema.safeParse(json);
    if (!success) throw errorOf(answer, "refused");
    return data;
  };
  const order = (kind: ProviderOrder) => async (target: Target) => (await give(kind, target)).status;

  return {
    hibernate: order("hibernate"),
    forceHibernate: order("force_hibernate"),
    wake: order("wake"),
    delete: order("delete"),
    snapshot: async (target) => {
      const { status, snapshot_id } = await give("snapshot", target);
      return { snapshotId: snapshot_id ?? null, done: status === "done" && snapshot_id != null };
    },
    // Only the result that it reports tells.
    snapshotState: async () => "pending",
    // A control plane need not answer this question. If it does not, the state is unknown.
    status: (target) =>
      sight(async () => {
        const answer = await post("status", crypto.randomUUID(), dataOf(target));
        return sightingOf(decodeJson(lookSchema, answer.text));
      }),
    list: null,
    verify: async (target) => {
      await post("ping", crypto.randomUUID(), target === null ? {} : dataOf(target));
    },
  };
}

function dataOf(target: Target) {
  requireReference("webhook", target);
  return { action_id: target.actionId, instance_id: target.instanceId, provider_ref: target.ref };
}

function sightingOf(look: z.infer<typeof lookSchema> | null): Sighting {
  switch (look?.state) {
    case "running":
    case "starting":
    case "stopping":
    case "stopped":
      return { state: look.state, gpus: look.gpus ?? null, obstacle: look.obstacle ?? null };
    // This is the owner's own word, not that of an API that may look in the wrong place.
    case "gone":
      return { state: "terminated" };
    case "unknown":
      return { state: "unknown", because: "the webhook does not know" };
    case undefined:
      return { state: "unknown", because: "the webhook's answer names no state" };
  }
}

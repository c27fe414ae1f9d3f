import { z } from "zod";
import { postSigned } from "../../outbound/call.ts";
import { publicUrlSchema, webhookSecretSchema } from "../../outbound/endpoint.ts";
import { errorOfStatus, type Provider, ProviderError, type Target } from "./provider.ts";

/**
 * Any control plane: each order is one POST, signed by Standard Webhooks (https://www.standardwebhooks.com), whose
 * `webhook-id` stays the same when the order is repeated. It answers `{"status":"done"}` at once, or 202 and later
 * `POST /api/agent/actions/{action_id}/result`.
 */

export const webhookCredentialsSchema = (allowLoopback: boolean) =>
  z.strictObject({ url: publicUrlSchema(allowLoopback), secret: webhookSecretSchema });

const answerSchema = z.object({
  status: z.enum(["accepted", "done"]).default("accepted"),
  state: z.enum(["running", "starting", "stopping", "stopped", "gone", "unknown"]).default("unknown"),
  snapshot_id: z.string().min(1).max(500).nullish(),
});

type Order = "hibernate" | "force_hibernate" | "wake" | "snapshot" | "delete" | "status" | "ping";

export function webhook(
  credentials: { readonly url: string; readonly secret: string },
  allowLoopback: boolean,
): Provider {
  const ask = async (order: Order, target: Target | null): Promise<z.infer<typeof answerSchema>> => {
    const body = JSON.stringify({
      type: `instance.${order}`,
      timestamp: new Date().toISOString(),
      data:
        target === null
          ? {}
          : { action_id: target.actionId, instance_id: target.instanceId, provider_ref: target.ref },
    });
    const isQuestion = order === "status" || order === "ping";
    const messageId = isQuestion || target === null ? crypto.randomUUID() : `${target.actionId}-${order}`;
    const answer = await postSigned(credentials, messageId, body, allowLoopback).catch((error: unknown) => {
      throw new ProviderError("unavailable", `the webhook does not answer: ${String(error)}`);
    });
    if (answer.status < 200 || answer.status > 299) {
      const error = errorOfStatus("the webhook", answer.status, answer.body);
      // A 404 may as well be a wrong URL: only `"state":"gone"` says that the instance is.
      throw error.code === "not_found" ? new ProviderError("refused", error.message) : error;
    }
    return answerSchema.safeParse(parseJson(answer.body)).data ?? answerSchema.parse({});
  };
  const order = (kind: Order) => async (target: Target) => (await ask(kind, target)).status;

  return {
    hibernate: order("hibernate"),
    forceHibernate: order("force_hibernate"),
    wake: order("wake"),
    delete: order("delete"),
    snapshot: async (target) => {
      const { status, snapshot_id } = await ask("snapshot", target);
      return { snapshotId: snapshot_id ?? null, done: status === "done" && snapshot_id != null };
    },
    // It is told by the result alone.
    snapshotState: async () => "pending",
    status: async (target) => {
      try {
        return (await ask("status", target)).state;
      } catch (error) {
        // A control plane need not know this question.
        if (error instanceof ProviderError && !error.isPassing && error.code !== "unauthorised")
          return "unknown";
        throw error;
      }
    },
    verify: async () => {
      await ask("ping", null);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

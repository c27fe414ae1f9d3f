import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { createOnce } from "../platform/create-once.ts";
import { noteDelivery, sendNotice } from "./channels/registry.ts";
import type { Notice } from "./notice.ts";

/** What the workflow of one message to one channel is told. */
export interface DeliveryParameters {
  readonly userId: string;
  readonly channelId: string;
  readonly digestId: string;
  readonly notice: Notice;
}

/** A channel that can't be reached is tried for about an hour, or as it asks for by `Retry-After`. */
const RETRIES = 7;

/** Brings one message to one channel: one step where nothing fails. A channel that is slow holds up no other. */
export class AlertDelivery extends WorkflowEntrypoint<Env, DeliveryParameters> {
  override async run(event: Readonly<WorkflowEvent<DeliveryParameters>>, step: WorkflowStep): Promise<void> {
    const { userId, channelId, digestId, notice } = event.payload;
    let askedToWaitMs: number | null = null;
    const delay = ({ ctx }: { ctx: { attempt: number } }) => askedToWaitMs ?? 15_000 * 2 ** ctx.attempt;
    await step.do(
      "send",
      { retries: { limit: RETRIES, delay, backoff: "constant" }, timeout: "2 minutes" },
      async () => {
        const delivery = await sendNotice(this.env, this.ctx, userId, channelId, notice, digestId);
        // The user has no such channel any more.
        if (delivery === null) return;
        // The message is out, or refused: that it can't be noted must not send it again.
        await noteDelivery(this.env, userId, channelId, delivery).catch((error) =>
          console.warn("a delivery was not noted", error),
        );
        if (delivery.delivered) return;
        if (!delivery.mayPass) throw new NonRetryableError(delivery.detail);
        askedToWaitMs = delivery.retryAfterSeconds === null ? null : delivery.retryAfterSeconds * 1000;
        throw new Error(delivery.detail);
      },
    );
  }
}

/** Starts the delivery, unless one of this id was started before. */
export async function startDelivery(
  env: Pick<Env, "ALERT_DELIVERY">,
  id: string,
  parameters: DeliveryParameters,
): Promise<void> {
  await createOnce(env.ALERT_DELIVERY, id, parameters);
}

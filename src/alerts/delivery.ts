import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { HOUR_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { type Delivery, unreachable } from "./channels/channel.ts";
import { noteDelivery, sendNotice } from "./channels/registry.ts";
import type { Notice } from "./notice.ts";

/** What the workflow of one message to one channel is told. */
export interface DeliveryParameters {
  readonly userId: string;
  readonly channelId: string;
  readonly digestId: string;
  readonly notice: Notice;
  /** How long to wait before the first try: the fleet has made one already. */
  readonly waitMs: number;
}

/** A channel that can't be reached is tried for about an hour, or as it asks for by `Retry-After`. */
const RETRIES = 7;
const FIRST_WAIT_MS = 15 * SECOND_MS;

/** A channel may ask for this long at most: nobody reads an alert of last week. */
const LONGEST_WAIT_MS = HOUR_MS;

const NO_ANSWER = unreachable("no answer");

/** How long to wait after a try that failed, and that so many others preceded. */
export function waitAfter({ retryAfterSeconds }: Delivery, triesBefore: number): number {
  if (retryAfterSeconds === null) return FIRST_WAIT_MS * 2 ** triesBefore;
  return Math.min(LONGEST_WAIT_MS, Math.max(SECOND_MS, retryAfterSeconds * SECOND_MS));
}

/** Brings one message to one channel that did not take it at once. */
export class AlertDelivery extends WorkflowEntrypoint<Env, DeliveryParameters> {
  override async run(event: Readonly<WorkflowEvent<DeliveryParameters>>, step: WorkflowStep): Promise<void> {
    await awaitSettings(this.env, step);
    const { userId, channelId, digestId, notice, waitMs } = event.payload;
    let failed: Delivery | null = null;
    // A step that was cut off has no answer.
    const delay = ({ ctx }: { ctx: { attempt: number } }) => waitAfter(failed ?? NO_ANSWER, ctx.attempt);
    await step.sleep("wait", waitMs);
    await step.do(
      "send",
      { retries: { limit: RETRIES, delay, backoff: "constant" }, timeout: "2 minutes" },
      async () => {
        failed = null;
        const delivery = await sendNotice(this.env, this.ctx, userId, channelId, notice, digestId);
        // The user has no such channel any more.
        if (delivery === null) return;
        // The message is out, or refused: that it can't be noted must not send it again.
        await noteDelivery(this.env, userId, channelId, delivery).catch((error) =>
          console.warn("a delivery was not noted", error),
        );
        if (delivery.delivered) return;
        if (!delivery.mayPass) throw new NonRetryableError(delivery.detail);
        failed = delivery;
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

import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { type LogIds, logInfo, logWarning } from "../platform/log.ts";
import { type Delivery, undeliverable, unreachable } from "./channels/channel.ts";
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

/** A channel may ask for this long at most: nobody reads an alert of last week, and one that is away for an hour may be back. */
const LONGEST_WAIT_MS = HOUR_MS;

/** The fleet hears of each try. When it has heard nothing for this long, the workflow is no more, and the fleet goes on. */
export const DELIVERY_LEASE_MS = LONGEST_WAIT_MS + 10 * MINUTE_MS;

/** The fleet is always there, but may be moving. */
const NOTE = {
  retries: { limit: 20, delay: "5 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

const NO_ANSWER = unreachable("no answer");

/** How long to wait after a try that failed, and that so many others preceded. */
export function waitAfter({ retryAfterSeconds }: Delivery, triesBefore: number): number {
  if (retryAfterSeconds === null) return FIRST_WAIT_MS * 2 ** triesBefore;
  return Math.min(LONGEST_WAIT_MS, Math.max(SECOND_MS, retryAfterSeconds * SECOND_MS));
}

/** Brings one message to one channel that did not take it at once. Its fleet hears how each try went, and how it ended. */
export class AlertDelivery extends WorkflowEntrypoint<Env, DeliveryParameters> {
  override async run(event: Readonly<WorkflowEvent<DeliveryParameters>>, step: WorkflowStep): Promise<void> {
    await awaitSettings(this.env, step);
    const { userId, channelId, waitMs } = event.payload;
    const ids = { user_id: userId, channel_id: channelId, workflow_id: event.instanceId };
    const note = (delivery: Delivery) =>
      noteDelivery(this.env, userId, channelId, delivery, event.instanceId);
    await step.sleep("wait", waitMs);
    try {
      const sent = await this.#send(event.payload, step, note, ids);
      // Else the fleet would take this workflow for dead, and send the message again.
      if (sent !== null && !sent.isNoted) await step.do("note", NOTE, () => note(sent.delivery));
    } catch (error) {
      logInfo("a message is given up", { ...ids, because: String(error) });
      await step.do("give up", NOTE, () =>
        note(undeliverable(error instanceof Error ? error.message : String(error))),
      );
      throw error;
    }
  }

  /** Null when the user has no such channel any more. */
  async #send(
    { userId, channelId, digestId, notice }: DeliveryParameters,
    step: WorkflowStep,
    note: (delivery: Delivery) => Promise<void>,
    ids: LogIds,
  ): Promise<{ readonly delivery: Delivery; readonly isNoted: boolean } | null> {
    let failed: Delivery | null = null;
    // A step that was cut off has no answer.
    const delay = ({ ctx }: { ctx: { attempt: number } }) => waitAfter(failed ?? NO_ANSWER, ctx.attempt);
    const retries = { limit: RETRIES, delay, backoff: "constant" } as const;
    return step.do("send", { retries, timeout: "2 minutes" }, async () => {
      failed = null;
      const delivery = await sendNotice(this.env, this.ctx, userId, channelId, notice, digestId);
      if (delivery === null) return null;
      // The message is out, or refused: that it can't be noted must not send it again.
      const isNoted = await note(delivery).then(
        () => true,
        (error: unknown) => {
          logWarning("a delivery was not noted", ids, error);
          return false;
        },
      );
      if (delivery.delivered) return { delivery, isNoted };
      if (!delivery.mayPass) throw new NonRetryableError(delivery.detail);
      failed = delivery;
      throw new Error(delivery.detail);
    });
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

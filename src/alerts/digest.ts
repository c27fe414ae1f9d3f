import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { severitySchema } from "../lifecycle/model/history-event.ts";
import { compilePolicy } from "../lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../lifecycle/model/policy-settings.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { readSettings } from "../platform/settings.ts";
import { listChannels, noteDelivery, sendNotice } from "./channels/registry.ts";
import { waitAfter } from "./delivery.ts";
import { composeNotice, type Notice } from "./notice.ts";
import { newestPendingAt, readAlerts, takeAlerts, type Urgency } from "./queue.ts";

/**
 * The digests of a former version of the service. Nothing starts one any more, since fleets tell their alerts and `delivery.ts`
 * brings them to the channels; those that were under way at the upgrade finish here. The release after it drops this file and
 * `queue.ts`.
 */

/** What the workflow of one digest was told. */
interface DigestParameters {
  readonly userId: string;
  readonly urgency: Urgency;
}

/** Alerts of one user within this time make one message a channel. */
const DIGEST_WINDOW_MS = 30_000;

/** While alerts still pour in, a digest waits on, so that one outage makes one message. */
const STILL_POURING_MS = 10_000;
const LONGER_WAITS = 5;
const LONGER_WAIT_MS = 15_000;

const DATABASE = {
  retries: { limit: 8, delay: "5 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/** A channel that can't be reached is tried for about an hour, or as it asks for by `Retry-After`. */
const SEND_RETRIES = 7;

/** Marks what a critical digest tells at the end of its window. */
const REST = "-rest";

/** Tells a user's pending alerts: one message a channel. */
export class AlertDigest extends WorkflowEntrypoint<Env, DigestParameters> {
  override async run(event: Readonly<WorkflowEvent<DigestParameters>>, step: WorkflowStep): Promise<void> {
    await awaitSettings(this.env, step);
    const { urgency } = event.payload;
    if (urgency === "ordinary") await this.#letItSettle(event.payload, step);
    await this.#tell(event, step, "");
    if (urgency === "critical") {
      // The first went at once; what was critical within the same window goes together at its end.
      await step.sleep("end of the window", DIGEST_WINDOW_MS);
      await this.#tell(event, step, REST);
    }
  }

  async #letItSettle({ userId }: DigestParameters, step: WorkflowStep): Promise<void> {
    await step.sleep("window", DIGEST_WINDOW_MS);
    for (let wait = 1; wait <= LONGER_WAITS; wait++) {
      const pouring = await step.do(`look whether more comes ${wait}`, DATABASE, async () => {
        const newest = await newestPendingAt(this.env.DB, userId);
        return newest !== null && newest > Date.now() - STILL_POURING_MS;
      });
      if (!pouring) return;
      await step.sleep(`wait on ${wait}`, LONGER_WAIT_MS);
    }
  }

  async #tell(
    event: Readonly<WorkflowEvent<DigestParameters>>,
    step: WorkflowStep,
    suffix: string,
  ): Promise<void> {
    const { userId, urgency } = event.payload;
    const digestId = `${event.instanceId}${suffix}`;
    await step.do(`take alerts${suffix}`, DATABASE, () => takeAlerts(this.env.DB, userId, digestId, urgency));
    const notices = await step.do(`compose${suffix}`, DATABASE, async () => {
      const { reminderMs } = compilePolicy(DEFAULT_POLICY, readSettings(this.env).SIMULATION_SPEED);
      const alerts = await readAlerts(this.env.DB, userId, digestId, reminderMs);
      return severitySchema.options.map((minimum) => ({ minimum, notice: composeNotice(alerts, minimum) }));
    });
    if (notices.every(({ notice }) => notice === null)) return;
    const channels = await step.do(`channels${suffix}`, DATABASE, async () =>
      (await listChannels(this.env, userId)).map(({ id, minimumSeverity }) => ({ id, minimumSeverity })),
    );
    await Promise.all(
      channels.map(async ({ id, minimumSeverity }) => {
        const notice = notices.find(({ minimum }) => minimum === minimumSeverity)?.notice ?? null;
        // One channel that fails takes none of the others with it.
        if (notice !== null) await this.#send(step, userId, id, notice, digestId).catch(() => undefined);
      }),
    );
  }

  async #send(
    step: WorkflowStep,
    userId: string,
    channelId: string,
    notice: Notice,
    digestId: string,
  ): Promise<void> {
    let askedToWaitMs: number | null = null;
    const name = `send to ${channelId}${digestId.endsWith(REST) ? REST : ""}`;
    const delay = ({ ctx }: { ctx: { attempt: number } }) => askedToWaitMs ?? 15_000 * 2 ** ctx.attempt;
    await step.do(
      name,
      { retries: { limit: SEND_RETRIES, delay, backoff: "constant" }, timeout: "2 minutes" },
      async () => {
        const delivery = await sendNotice(this.env, this.ctx, userId, channelId, notice, digestId);
        if (delivery === null) return;
        await noteDelivery(this.env, userId, channelId, delivery);
        if (delivery.delivered) return;
        if (!delivery.mayPass) throw new NonRetryableError(delivery.detail);
        askedToWaitMs = delivery.retryAfterSeconds === null ? null : waitAfter(delivery, 0);
        throw new Error(delivery.detail);
      },
    );
  }
}

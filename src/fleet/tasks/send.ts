import { type Delivery, unreachable } from "../../alerts/channels/channel.ts";
import { type SealedChannel, sendBy } from "../../alerts/channels/registry.ts";
import { DELIVERY_LEASE_MS, startDelivery, waitAfter } from "../../alerts/delivery.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { logWarning } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { RETRY_MS, type WaitingDelivery } from "../tables/deliveries.ts";
import { giveUp, noteDelivery } from "./messages.ts";

/**
 * A fleet tries each message once itself. What fails and may pass goes on as a workflow of its own: so few are created, however
 * many messages there are, and nobody but that workflow waits for a channel that is away.
 *
 * A message is sent at least once. When a process ends between sending and noting it, the message goes out again with its id.
 * It stays in its table until its workflow has said how it ended (`messages.ts`), so that none is lost with a workflow.
 */

/** An object may wait for six outside answers at a time. The sixth is left to the alarm's other tasks. */
const AT_ONCE = 5;

/**
 * Each channel ends its own call within 15 s (`outbound/call.ts`, `channels/email.ts`). A call that was cut off earlier might
 * be sent twice.
 */
const SEND_LIMIT_MS = 20 * SECOND_MS;
const START_LIMIT_MS = 10 * SECOND_MS;

/** After this long an alarm starts no more messages: the next alarm can't fire before this one ends. */
const BEGIN_WITHIN_MS = 5 * SECOND_MS;
const PER_ALARM = 100;

/** An object lives on while a call of its own is under way. */
const CONTEXT = { waitUntil: () => undefined };

/** Sends what waits. What is left, or could not be handed over, is due again. */
export async function sendDeliveries(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const now = Date.now();
  const { next: queue, tooOld } = fleet.deliveries.take(now, PER_ALARM, failingChannels(fleet));
  for (const { id, channelId } of tooOld) giveUp(env, fleet, channelId, id, "it can't be read");
  const work = async () => {
    while (Date.now() < now + BEGIN_WITHIN_MS) {
      const next = queue.shift();
      if (next === undefined) return;
      await deliver(env, userId, fleet, next);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    for (const { id } of queue.splice(0)) fleet.deliveries.settled(id);
  }
  fleet.setDue({ deliveriesAt: fleet.deliveries.nextAt(Date.now()) });
}

/** Channels that did not take their last message. */
function failingChannels(fleet: Fleet): string[] {
  const channels = fleet.channels.list();
  return channels.filter((each) => each.lastDelivery?.delivered === false).map(({ id }) => id);
}

async function deliver(env: Env, userId: string, fleet: Fleet, waiting: WaitingDelivery): Promise<void> {
  const { id, channelId, digestId, notice } = waiting;
  try {
    const mayBeTold = fleet.confirmations.isConfirmed(channelId) && !fleet.channels.isPaused(channelId);
    const sealed = mayBeTold ? fleet.channels.sealed(channelId) : null;
    // The user has no such channel any more, or nobody has confirmed its address, or it is paused.
    if (sealed === null) {
      fleet.deliveries.remove(id);
      return;
    }
    const delivery = await send(env, userId, sealed, waiting);
    const isOver = delivery.delivered || !delivery.mayPass;
    noteDelivery(env, fleet, channelId, delivery, isOver ? id : null);
    if (isOver) return;
    const parameters = { userId, channelId, digestId, notice, waitMs: waitAfter(delivery, 0) };
    await within(START_LIMIT_MS, startDelivery(env, id, parameters));
    tryAgain(env, fleet, waiting, DELIVERY_LEASE_MS);
  } catch (error) {
    logWarning(
      "a message could neither be sent nor handed over, will be tried again",
      { user_id: userId, channel_id: channelId, delivery_id: id },
      error,
    );
    tryAgain(env, fleet, waiting, RETRY_MS);
  } finally {
    fleet.deliveries.settled(id);
  }
}

/** The message is tried again by the fleet after this long, if it is still here; unless that has gone on for a week. */
function tryAgain(env: Env, fleet: Fleet, { id, channelId }: WaitingDelivery, afterMs: number): void {
  const isTooOld = fleet.deliveries.postpone(id, Date.now(), afterMs);
  if (isTooOld) giveUp(env, fleet, channelId, id, "it could not be sent for a week");
}

/** One try. Never throws. */
async function send(
  env: Env,
  userId: string,
  sealed: SealedChannel,
  { channelId, digestId, notice }: WaitingDelivery,
): Promise<Delivery> {
  try {
    const channel = { userId, id: channelId, sealed };
    return await within(SEND_LIMIT_MS, sendBy(env, CONTEXT, channel, notice, digestId));
  } catch (error) {
    return unreachable(error);
  }
}

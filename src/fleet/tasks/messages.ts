import type { Delivery } from "../../alerts/channels/channel.ts";
import { DELIVERY_LEASE_MS } from "../../alerts/delivery.ts";
import { messageOf } from "../../lifecycle/model/outbox.ts";
import { MINUTE_MS } from "../../lifecycle/model/time.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import type { Said } from "../../lifecycle/model/words/said.ts";
import { say } from "../../lifecycle/model/words/say.ts";
import { logError } from "../../platform/log.ts";
import { count } from "../../service/meter.ts";
import type { Fleet } from "../fleet.ts";
import { mendWindow } from "../rules/digest-window.ts";
import { withDue } from "../rules/state.ts";
import { WAITING_PER_CHANNEL } from "../tables/deliveries.ts";

/** What becomes of messages: after a try, whoever made it, and when nobody makes one. */

/** An object lives on while a call of its own is under way. */
const CONTEXT = { waitUntil: () => undefined };

/** Whatever was due so long ago is late: the alarm was lost, or what it does fails again and again. */
const LATE_MS = 5 * MINUTE_MS;

/**
 * Notes how a try to send by a channel went. A message stays here, whoever goes on with it, until it is out or refused: should
 * nothing be heard of it for the time of its lease, the fleet tries it again itself.
 */
export function noteDelivery(
  env: Env,
  fleet: Fleet,
  channelId: string,
  delivery: Delivery,
  deliveryId: string | null,
): void {
  const now = Date.now();
  const isOver = delivery.delivered || !delivery.mayPass;
  const { isLost, isGivenUp } = fleet.change((state) => {
    fleet.channels.noteDelivery(channelId, delivery, now);
    const isLost = delivery.isGone === true && !fleet.channels.isPaused(channelId);
    if (isLost) fleet.channels.pause(channelId, { at: now, because: "gone" });
    if (deliveryId === null) return { state, result: { isLost, isGivenUp: false } };
    const isTooOld = !isOver && fleet.deliveries.postpone(deliveryId, now, DELIVERY_LEASE_MS);
    const wasThere = (isOver || isTooOld) && fleet.deliveries.remove(deliveryId);
    return { state, result: { isLost, isGivenUp: wasThere && !delivery.delivered } };
  });
  if (isLost) tellLost(fleet, channelId, delivery.detail, now);
  if (isGivenUp && deliveryId !== null) tellGivenUp(env, fleet, channelId, deliveryId, delivery.detail);
}

/** Says that a channel is gone for good: to all others, whatever they are told of, since nothing is told there any more. */
function tellLost(fleet: Fleet, channelId: string, because: string, now: number): void {
  const channel = fleet.channels.list().find(({ id }) => id === channelId);
  if (channel === undefined) return;
  // What is given up with it is no further news.
  fleet.channels.noteGivenUp(channelId);
  fleet.addOwnEvent(
    {
      id: `gone-${channelId}-${now}`,
      at: now,
      kind: "alert_not_delivered",
      severity: "critical",
      ...messageOf(phrase("fleet.channel_gone", { name: channel.name, kind: channel.kind, because })),
      detail: { channel_id: channelId, channel: channel.kind, because, gone: true },
    },
    now,
  );
}

/** Gives a message up that could not even be tried for longer than anything may wait. */
export function giveUp(env: Env, fleet: Fleet, channelId: string, deliveryId: string, because: Said): void {
  if (fleet.deliveries.remove(deliveryId)) tellGivenUp(env, fleet, channelId, deliveryId, because);
}

/** Gives up the oldest messages of each channel that has more of them waiting than may wait, but none that somebody carries. */
export function giveUpSurplus(env: Env, fleet: Fleet, now: number): void {
  for (const { id: channelId } of fleet.channels.list()) {
    for (const { id } of fleet.deliveries.surplus(channelId, now))
      giveUp(env, fleet, channelId, id, TOO_MANY);
  }
}

const TOO_MANY = phrase("fleet.too_many_waited", { count: WAITING_PER_CHANNEL });

/**
 * Says that a message was given up: by an event, and in the service's metrics. The owner is told by the other channels, once
 * until the channel takes a message again: the message that says so goes to it, too.
 */
function tellGivenUp(env: Env, fleet: Fleet, channelId: string, deliveryId: string, because: Said): void {
  const channel = fleet.channels.list().find(({ id }) => id === channelId);
  count(env, CONTEXT, "alerts_given_up", { channel: channel?.kind ?? "unknown" });
  if (channel === undefined) return;
  const repeated = fleet.channels.noteGivenUp(channelId);
  fleet.addOwnEvent(
    {
      id: `given-up-${deliveryId}`,
      at: Date.now(),
      kind: "alert_not_delivered",
      severity: "warning",
      ...messageOf(phrase("fleet.not_delivered", { name: channel.name, kind: channel.kind, because })),
      detail: { channel_id: channelId, channel: channel.kind, because: say("en", because), repeated },
    },
    Date.now(),
  );
}

/**
 * Looks for what would not be told in time: alerts without a window, windows and tries that were missed or lie too far ahead.
 * All of it becomes due. Returns how much there was.
 */
export function sweep(env: Env, userId: string | undefined, fleet: Fleet, now: number): number {
  const late = fleet.change((state) => {
    const pending = fleet.events.pending();
    const mended = mendWindow(state.digest, pending, now, LATE_MS);
    const { late, far } = fleet.deliveries.mend(now, LATE_MS);
    const nextAt = fleet.deliveries.nextAt(now);
    const { deliveriesAt } = state.due;
    const isForgotten = nextAt !== null && (deliveriesAt === null || deliveriesAt > nextAt);
    const next = mended.window === state.digest ? state : { ...state, digest: mended.window };
    return {
      state: isForgotten ? withDue(next, { deliveriesAt: nextAt }) : next,
      result: mended.late + late + far,
    };
  });
  if (late > 0) {
    logError("alerts or messages waited for longer than they should", { user_id: userId, late });
    count(env, CONTEXT, "alerts_late", {}, late);
  }
  return late;
}

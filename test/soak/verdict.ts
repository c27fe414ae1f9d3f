import type { ControlPlane } from "../../scripts/control-plane.ts";
import { isAlert } from "../../src/lifecycle/model/history-event.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import { actionWorkflowId } from "../../src/orders/order.ts";
import { orphanedSinceOf, Told } from "../checks/alerts-told.ts";
import { judgeHeartbeats } from "./checks/heartbeats.ts";
import { judgeOrders } from "./checks/orders.ts";
import { CHANNELS_PER_USER, channelPath, INTERVAL_MS, ORDER_RULES, type SoakFleet, SPEED } from "./fleet.ts";
import type { Receiver } from "./receiver.ts";
import type { History, KeptEvent } from "./storage.ts";

/** What a soak has found: for each promise all that broke it. */

export interface Finding {
  readonly promise: string;
  /** How much was looked at. */
  readonly of: string;
  readonly broken: readonly string[];
}

const { reminderMs } = compilePolicy(DEFAULT_POLICY, SPEED);

/** Orphans are noticed after half a minute, reported later while the fleet is away, and the guard closes then. */
const OUTAGE_LEAD_MS = 120_000;

export function findHeartbeats({ agents }: SoakFleet, { readings }: History): Finding[] {
  const verdicts = agents.map((agent) => judgeHeartbeats(agent, readings.get(agent.id) ?? [], INTERVAL_MS));
  const acknowledged = agents.reduce((sum, agent) => sum + agent.acknowledged.length, 0);
  const late = agents.reduce((sum, agent) => sum + agent.late.length, 0);
  const kept = [...readings.values()].reduce((sum, each) => sum + each.length, 0);
  return [
    {
      promise: "acknowledged heartbeats lost",
      of: `${acknowledged} acknowledged`,
      broken: verdicts.flatMap(({ lost }) => lost),
    },
    {
      promise: "late readings lost",
      of: `${late} acknowledged`,
      broken: verdicts.flatMap(({ lateLost }) => lateLost),
    },
    { promise: "heartbeats kept twice", of: `${kept} kept`, broken: verdicts.flatMap(({ twice }) => twice) },
  ];
}

export function findAlerts({ users }: SoakFleet, { events }: History, receiver: Receiver): Finding {
  const broken = receiver.malformed.map((message) => `malformed: ${message}`);
  let messages = 0;
  let again = 0;
  const alerts = events.filter(isAlert);
  for (const user of users) {
    const raised = alerts
      .filter(({ user_id }) => user_id === user.id)
      .map((event) => ({
        ...event,
        instanceId: event.instance_id,
        orphanedSince: orphanedSinceOf(event.detail),
      }));
    for (let index = 0; index < CHANNELS_PER_USER; index++) {
      const channel = channelPath(user.id, index);
      const told = new Told((what) => broken.push(`${channel}: ${what}`));
      for (const { messageId, data } of receiver.messages.filter((message) => message.channel === channel)) {
        const groups = data.groups.map(({ kind, more, alerts: lines }) => ({
          kind,
          more,
          lines: lines.map((line) => ({
            instanceId: line.instance_id ?? "",
            eventId: line.event_id,
            at: Date.parse(line.at),
          })),
        }));
        told.hear(messageId, JSON.stringify(data), groups);
      }
      told.judge(raised, reminderMs, OUTAGE_LEAD_MS);
      messages += told.messages;
      again += told.again;
    }
  }
  const of = `${alerts.length} alerts, ${messages} messages, ${again} of them again`;
  return { promise: "alerts lost, or told twice", of, broken };
}

export async function findOrders(
  { agents }: SoakFleet,
  { events }: History,
  plane: ControlPlane,
): Promise<Finding> {
  const ordersOf = Map.groupBy(await orderEvents(events), ({ instanceId }) => instanceId);
  const deedsOf = Map.groupBy(plane.deeds, ({ instanceId }) => instanceId);
  const broken = agents.flatMap((agent) =>
    judgeOrders(agent, deedsOf.get(agent.id) ?? [], ordersOf.get(agent.id) ?? [], ORDER_RULES),
  );
  const counts = Map.groupBy(plane.deeds, ({ kind }) => kind);
  const of = [...counts].map(([kind, deeds]) => `${deeds.length} × ${kind.replace("_", "-")}`).join(", ");
  return { promise: "wrong orders", of, broken: [...broken, ...forged(plane)] };
}

function forged({ forged }: ControlPlane): string[] {
  return forged === 0 ? [] : [`${forged} orders with a bad signature`];
}

/** The provider knows an order by the id of its workflow. */
async function orderEvents(events: readonly KeptEvent[]) {
  const found = events.map(async ({ user_id, instance_id, kind, at, detail: { action_id } }) => {
    if (typeof action_id !== "string") return [];
    const actionId = await actionWorkflowId(user_id, instance_id, action_id);
    return [{ instanceId: instance_id, kind, at, actionId }];
  });
  return (await Promise.all(found)).flat();
}

export function findBreaches({ events }: History): Finding {
  const of = `${events.length} events`;
  return { promise: "invariants breached", of, broken: describe(events, "invariant_breached") };
}

export function findLeftovers({ events }: History, leftovers: readonly string[]): Finding {
  const broken = [...describe(events, "delivery_parked"), ...describe(events, "history_lost"), ...leftovers];
  return { promise: "deliveries parked or left", of: `${events.length} events`, broken };
}

function describe(events: readonly KeptEvent[], kind: string): string[] {
  return events
    .filter((event) => event.kind === kind)
    .map(
      ({ instance_id, message, at }) => `${kind} ${instance_id} ${new Date(at).toISOString()}: ${message}`,
    );
}

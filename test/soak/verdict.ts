import { createHash } from "node:crypto";
import type { ControlPlane } from "../../scripts/control-plane.ts";
import { isAlert } from "../../src/lifecycle/model/history-event.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import { orphanedSinceOf, Told } from "../checks/alerts-told.ts";
import type { Answers } from "./answers.ts";
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
        raisedAt: event.at,
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

export function findOrders({ agents }: SoakFleet, { events }: History, plane: ControlPlane): Finding {
  const ordersOf = Map.groupBy(orderEvents(events), ({ instanceId }) => instanceId);
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

function orderEvents(events: readonly KeptEvent[]) {
  return events.flatMap(({ user_id, instance_id, kind, at, detail: { action_id } }) =>
    typeof action_id === "string"
      ? [{ instanceId: instance_id, kind, at, actionId: workflowId(user_id, instance_id, action_id) }]
      : [],
  );
}

/** By which the provider knows an order. As `actionWorkflowId`, which needs more than Node has. */
function workflowId(userId: string, instanceId: string, actionId: string): string {
  const digest = (text: string) => createHash("sha256").update(text).digest("hex");
  return `${digest(userId).slice(0, 24)}-${digest(`${userId}/${instanceId}/${actionId}`).slice(0, 40)}`;
}

/** One in a hundred may take too long: a machine that is shared is not always there. */
const TIMEOUTS = 0.01;

export function findAnswers(answers: Answers): Finding[] {
  const { failed, timedOut } = answers.unexcused();
  const of = `${answers.requests} requests`;
  return [
    { promise: "5xx, or none, outside failures", of: `${of}, ${answers.failures} failed`, broken: failed },
    {
      promise: "timeouts outside failures beyond 1 %",
      of: `${of}, ${timedOut.length} timed out`,
      broken: timedOut.length > answers.requests * TIMEOUTS ? timedOut : [],
    },
  ];
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

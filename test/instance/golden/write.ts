import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeRow } from "../../../src/instance/stored/row.ts";
import { type DeliveryStanding, NOTHING_WAITS } from "../../../src/instance/stored/stored-instance.ts";
import { VERSION } from "../../../src/instance/stored/versions.ts";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import type { InstanceEvent } from "../../../src/lifecycle/model/instance-event.ts";
import { orphanOf } from "../../../src/lifecycle/model/phase.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { START, Timeline } from "../../lifecycle/timeline.ts";

/**
 * Writes the rows of the current version, one for each standing of an instance, which are then kept for good: a version
 * that was once deployed must be read for ever. A field that was added without a version is named at the end of the file's
 * name. `node test/instance/golden/write.ts`.
 */

const MINUTE = 60_000;

const POLICIES = {
  overrides: { idle: { threshold_percent: 7 }, heartbeat_interval_seconds: 60 },
  userPolicy: { orphan: { snapshot_before_delete: false } },
};

function live(provider: ProviderKind): Timeline {
  return new Timeline({
    provider,
    overrides: { ...POLICIES.overrides, ...POLICIES.userPolicy },
    profile: { providerRef: "i-0abc" },
  });
}

function beats(one: Timeline, count: number, gpu: number): Timeline {
  for (let minute = 1; minute <= count; minute++) {
    one.until(START + minute * MINUTE);
    const report: HeartbeatReport = {
      gpu_utilization: gpu,
      vram_used_gb: 18.4,
      cpu_utilization: 12.5,
      cost_accumulated: 2.4 + minute / 100,
      status: "running",
      boot_id: "b-1",
      sequence: minute,
      gpus: [{ index: 0, name: "RTX 4090", utilization: gpu }],
      activity: gpu > 50 ? { ssh_sessions: 2 } : {},
    };
    one.apply({ type: "heartbeat", report });
  }
  return one;
}

function tell(one: Timeline, event: InstanceEvent): Timeline {
  one.apply(event);
  return one;
}

function succeed(one: Timeline): Timeline {
  const { phase } = one.state;
  if (!("action" in phase)) throw new Error(`no order is under way: ${phase.status}`);
  return tell(one, {
    type: "action.succeeded",
    actionId: phase.action.id,
    snapshotId: null,
    confirmedBy: "the provider",
  });
}

function answer(one: Timeline, type: "guard.permitted" | "guard.deferred"): Timeline {
  const step = orphanOf(one.state.phase)?.guard?.step;
  if (step === undefined) throw new Error("the guard was not asked");
  return tell(one, type === "guard.permitted" ? { type, step, openedAt: null } : { type, step });
}

const permit = (one: Timeline) => answer(one, "guard.permitted");
const asked = () => beats(live("webhook"), 2, 87).until(START + 32 * MINUTE + 1);
const hibernated = () => succeed(beats(live("webhook"), 7, 2));

function deleting(): Timeline {
  const one = succeed(permit(asked()));
  for (let hour = 1; one.state.phase.status !== "deleting"; hour++) {
    if (hour > 9 * 24) throw new Error("it is never deleted");
    one.until(START + hour * 60 * MINUTE).apply({ type: "cleanup" });
    const { phase } = one.state;
    if (phase.status === "hibernated" && phase.orphan?.guard != null) permit(one);
    if (one.state.phase.status === "hibernating") succeed(one);
  }
  return one;
}

const LIVES: Readonly<Record<string, () => Timeline>> = {
  pending: () => live("webhook"),
  running: () => beats(live("agent"), 3, 87),
  "running, idle and warned": () => beats(live("agent"), 5, 2),
  "running, with a chunk that waits": () => beats(live("vast"), 32, 87),
  "running, with heartbeats that wait for a chunk": () => beats(live("vast"), 31, 87),
  "orphaned, the guard is asked": asked,
  "orphaned, held by the guard": () => answer(asked(), "guard.deferred"),
  "hibernating, ordered": () => beats(live("webhook"), 7, 2),
  "hibernating, for silence": () => permit(asked()),
  "hibernating, told": () => beats(live("agent"), 7, 2),
  "hibernating, a try is called off": () => {
    const one = beats(live("webhook"), 7, 2);
    return tell(tell(one, { type: "action.tried", actionId: one.actionId }), {
      type: "keep_alive",
      durationMs: MINUTE,
    });
  },
  "running, after an order that failed": () => {
    const one = beats(live("webhook"), 7, 2);
    return tell(one, { type: "action.failed", actionId: one.actionId, because: "503" });
  },
  "orphaned, after an order that failed": () => {
    const one = permit(asked());
    return tell(one, { type: "action.failed", actionId: one.actionId, because: "503" });
  },
  hibernated,
  waking: () => tell(hibernated(), { type: "wake.requested" }),
  deleting,
  deleted: () => succeed(deleting()),
};

/** How the delivery stands: of some, something has failed. */
function deliveryOf(name: string): DeliveryStanding {
  if (name !== "running, with a chunk that waits") return NOTHING_WAITS;
  return {
    attempts: {
      targets: [
        { target: "history", failures: 3, retryAt: START + 20 * MINUTE, since: START, unanswered: 0 },
      ],
      effects: [
        {
          id: START,
          delivered: ["fleet"],
          failing: [
            { target: "history", failures: 2, retryAt: START + 14 * MINUTE, since: START, unanswered: 0 },
          ],
        },
      ],
    },
    held: 0,
    parked: { tryAt: START + 60 * MINUTE },
    leavingSince: null,
  };
}

const lines = Object.entries(LIVES).map(([name, make]) => {
  const { state } = make();
  if (!name.startsWith(state.phase.status)) throw new Error(`${name} is ${state.phase.status}`);
  const row = writeRow({
    userId: "u-1",
    instanceId: "28864630",
    tokenGeneration: START,
    historyShard: 2,
    ...POLICIES,
    userPolicyVersion: 3,
    suspended: false,
    usedLinks: [{ id: "l-1", expiresAt: START + 1e8 }],
    enrollment: null,
    state,
    delivery: deliveryOf(name),
  });
  return `${JSON.stringify(name)}: ${row}`;
});

writeFileSync(
  fileURLToPath(import.meta.resolve(`./version-${VERSION}-delivery.json`)),
  `{\n${lines.join(",\n")}\n}\n`,
);

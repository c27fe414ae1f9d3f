import { describe, expect, it } from "vitest";
import type { PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };
const DAY = 24 * 60 * 60_000;

type Options = { provider?: ProviderKind; overrides?: PolicyOverrides };

const beating = (
  options: Options = {},
  report: Parameters<Timeline["heartbeat"]>[0] = { gpu_utilization: 87 },
) => new Timeline(options).beatUntil(at("1:00"), report);

function silentFor(clock: string, options: Options = {}): Timeline {
  const line = new Timeline(options);
  line.heartbeat();
  return line.until(at(clock));
}

function hibernatedOrphan(): Timeline {
  const line = silentFor("30:00");
  line.permit();
  return line.succeed();
}

function failed(line: Timeline): Timeline {
  line.permit();
  line.fail();
  return line;
}

function keptAlive(line: Timeline, minutes: number): Timeline {
  line.command({ type: "keep_alive", durationMs: minutes * 60_000 });
  return line;
}

function held(line: Timeline): Timeline {
  line.defer();
  return line;
}

const ssh = (value: number) => ({ name: "ssh_connections", value });
const unread = (name: string) => ({ name, value: null });

const nothing = { next_step: null, at: null, in_seconds: null, blocked_by: null };

const EXPLANATIONS: readonly (readonly [string, () => Timeline, Record<string, unknown>])[] = [
  [
    "one that was never heard",
    () => new Timeline(),
    {
      ...nothing,
      next_step: "never_heard",
      at: "2025-12-19T00:30:00Z",
      in_seconds: 1800,
      because: "Never heard since it was registered at 2025-12-19T00:00:00Z",
    },
  ],
  ["one at work", () => beating(), { ...nothing, because: "Heartbeats arrive; GPU at 87%" }],
  [
    "one without a GPU",
    () => beating({}, { cpu_utilization: 1 }),
    { ...nothing, because: "Heartbeats arrive; no GPU reported" },
  ],
  [
    "one whose policy knows no idleness",
    () => beating({ overrides: { idle: { enabled: false } } }, IDLE),
    { ...nothing, because: "Heartbeats arrive; GPU at 2%", blocked_by: "policy_disabled" },
  ],
  [
    "one with an idle GPU that is in use",
    () => beating({}, { ...IDLE, activity: { ssh_sessions: 1 } }),
    { ...nothing, because: "GPU at 2%, but in use: 1 ssh_sessions", blocked_by: "activity" },
  ],
  [
    "one at work and in use",
    () => beating({}, { gpu_utilization: 5, activity: { ssh_sessions: 1 } }),
    { ...nothing, because: "Heartbeats arrive; GPU at 5%" },
  ],
  [
    "one whose GPU was at work between the heartbeats",
    () => beating({}, { ...IDLE, gpu_utilization_max: 80 }),
    { ...nothing, because: "Heartbeats arrive; GPU at 2%, at its highest 80%" },
  ],
  [
    "one that tells only the highest",
    () => beating({}, { gpu_utilization_max: 80 }),
    { ...nothing, because: "Heartbeats arrive; GPU at 80%" },
  ],
  [
    "one that is in use by its sources",
    () => beating({}, { ...IDLE, sources: [ssh(2), { name: "cpu_cores", value: 3.1 }, unread("script_a")] }),
    {
      ...nothing,
      because: "GPU at 2%, but in use: 2 ssh_connections, cpu_cores 3.1; script_a cannot be read",
      blocked_by: "activity",
    },
  ],
  [
    "one with a source that can't be read",
    () => beating({}, { ...IDLE, sources: [ssh(0), unread("work_vllm")] }),
    {
      ...nothing,
      because: "GPU at 2%, but work_vllm cannot be read, which counts as use",
      blocked_by: "activity",
    },
  ],
  [
    "one whose GPU can't be read",
    () => beating({}, { gpus: [{ index: 0, utilization: null }], sources: [ssh(0)] }),
    { ...nothing, because: "Heartbeats arrive; GPU cannot be read, which counts as use" },
  ],
  [
    "one whose CPU works, by which it is judged",
    () => beating({ overrides: { idle: { metric: "cpu" } } }, { cpu_utilization: 30, gpu_utilization: 0 }),
    { ...nothing, because: "Heartbeats arrive; CPU at 30%" },
  ],
  [
    "one without a GPU that is in use",
    () => beating({}, { cpu_utilization: 1, sources: [ssh(1)] }),
    { ...nothing, because: "Heartbeats arrive; in use: 1 ssh_connections", blocked_by: "activity" },
  ],
  [
    "one of which a former release kept what it showed",
    () => {
      const line = beating({}, { ...IDLE, activity: { ssh_sessions: 1 } });
      line.state = { ...line.state, use: undefined };
      return line;
    },
    { ...nothing, because: "GPU at 2%, but in use: 1 ssh_sessions", blocked_by: "activity" },
  ],
  [
    "one in use whose policy knows no idleness",
    () => beating({ overrides: { idle: { enabled: false } } }, { ...IDLE, activity: { ssh_sessions: 1 } }),
    { ...nothing, because: "Heartbeats arrive; GPU at 2%", blocked_by: "policy_disabled" },
  ],
  [
    "one that was last heard two intervals ago",
    () => silentFor("2:00"),
    { ...nothing, because: "Heartbeats arrive; GPU at 87%" },
  ],
  [
    "one that is late",
    () => silentFor("2:00.001"),
    {
      next_step: "orphan",
      at: "2025-12-19T00:05:00Z",
      in_seconds: 180,
      because: "Last heartbeat 2 minutes ago",
      blocked_by: null,
    },
  ],
  [
    "one that is late, of a policy without the ladder",
    () => silentFor("10:00", { overrides: { orphan: { enabled: false } } }),
    {
      next_step: "orphan",
      at: "2025-12-19T00:05:00Z",
      in_seconds: 0,
      because: "Last heartbeat 10 minutes ago",
      blocked_by: "policy_disabled",
    },
  ],
  [
    "one at work that is kept alive",
    () => keptAlive(silentFor("1:00"), 60),
    {
      next_step: "orphan",
      at: "2025-12-19T01:06:00Z",
      in_seconds: 3900,
      because: "Last heartbeat 1 minute ago",
      blocked_by: "keep_alive",
    },
  ],
  [
    "one whose keep-alive ends just now",
    () => keptAlive(silentFor("1:00"), 60).until(at("1:01:00")),
    {
      next_step: "orphan",
      at: "2025-12-19T01:06:00Z",
      in_seconds: 300,
      because: "Last heartbeat 61 minutes ago",
      blocked_by: null,
    },
  ],
  [
    "one that was never heard and is kept alive",
    () => keptAlive(new Timeline(), 60),
    {
      next_step: "orphan",
      at: "2025-12-19T01:05:00Z",
      in_seconds: 3900,
      because: "Never heard, kept alive by hand",
      blocked_by: "keep_alive",
    },
  ],
  [
    "an idle one",
    () => beating({}, IDLE),
    {
      next_step: "warn",
      at: "2025-12-19T00:03:00Z",
      in_seconds: 120,
      because: "GPU under 5% since 2025-12-19T00:00:00Z, highest 2%",
      blocked_by: null,
    },
  ],
  [
    "an idle one that was warned",
    () => new Timeline().beatUntil(at("4:00"), IDLE),
    {
      next_step: "hibernate",
      at: "2025-12-19T00:05:00Z",
      in_seconds: 60,
      because: "GPU under 5% since 2025-12-19T00:00:00Z, highest 2%",
      blocked_by: null,
    },
  ],
  [
    "an idle one that is kept alive",
    () => {
      const line = keptAlive(new Timeline().beatUntil(at("1:00"), IDLE), 60);
      return line.beatUntil(at("2:00"), IDLE);
    },
    {
      next_step: "warn",
      at: "2025-12-19T01:04:00Z",
      in_seconds: 3720,
      because: "GPU under 5%; the idle clock starts at 2025-12-19T01:01:00Z",
      blocked_by: "keep_alive",
    },
  ],
  [
    "an idle one that is kept alive and silent",
    () => {
      const line = keptAlive(new Timeline().beatUntil(at("1:00"), IDLE), 60);
      return line.beatUntil(at("2:00"), IDLE).until(at("30:00"));
    },
    { next_step: "warn", at: "2025-12-19T01:04:00Z", in_seconds: 2040, blocked_by: "keep_alive" },
  ],
  [
    "an idle one that was warned and is late",
    () => new Timeline().beatUntil(at("2:59.999"), IDLE).until(at("4:00.001")),
    {
      next_step: "orphan",
      at: "2025-12-19T00:07:00Z",
      in_seconds: 180,
      because: "Last heartbeat 2 minutes ago",
      blocked_by: null,
    },
  ],
  [
    "an idle one that was warned and that nobody can hibernate",
    () => new Timeline({ provider: "none" }).beatUntil(at("4:00"), IDLE),
    { next_step: "hibernate", at: null, in_seconds: null, blocked_by: "no_provider" },
  ],
  [
    "an idle one that was not warned yet and that nobody can hibernate",
    () => beating({ provider: "none" }, IDLE),
    { next_step: "warn", blocked_by: null },
  ],
  [
    "an orphan",
    () => silentFor("10:00"),
    {
      next_step: "hibernate",
      at: "2025-12-19T00:30:00Z",
      in_seconds: 1200,
      because: "No heartbeat since 2025-12-19T00:00:00Z, orphaned since 2025-12-19T00:05:00Z",
      blocked_by: null,
    },
  ],
  [
    "an orphan that was never heard",
    () => keptAlive(new Timeline(), 10).until(at("15:00")),
    {
      next_step: "hibernate",
      at: "2025-12-19T00:40:00Z",
      in_seconds: 1500,
      because: "Never heard, orphaned since 2025-12-19T00:15:00Z",
      blocked_by: null,
    },
  ],
  [
    "an orphan whose provider can't reach it",
    () => silentFor("10:00", { provider: "agent" }),
    { next_step: "hibernate", at: null, blocked_by: "no_provider" },
  ],
  [
    "an orphan that the guard holds back",
    () => held(silentFor("30:00")),
    { next_step: "hibernate", at: "2025-12-19T00:35:00Z", in_seconds: 300, blocked_by: "guard" },
  ],
  [
    "an orphan whose question nobody has answered yet",
    () => silentFor("30:00"),
    { next_step: "force_hibernate", at: "2025-12-19T02:00:00Z", blocked_by: null },
  ],
  [
    "an orphan that could not be hibernated",
    () => failed(silentFor("30:00")),
    { next_step: "force_hibernate", at: "2025-12-19T02:00:00Z", in_seconds: 5400, blocked_by: null },
  ],
  [
    "an orphan that could not be force-hibernated either",
    () => failed(failed(silentFor("30:00")).until(at("2:00:00"))),
    // Two failures: ten minutes.
    { next_step: "force_hibernate", at: "2025-12-19T02:10:00Z", in_seconds: 600, blocked_by: null },
  ],
  [
    "an orphan that nobody can act upon, on its last step",
    () => silentFor("3:00:00", { provider: "none" }),
    {
      next_step: "delete",
      at: null,
      because: "No heartbeat since 2025-12-19T00:00:00Z, orphaned since 2025-12-19T00:05:00Z",
      blocked_by: "no_provider",
    },
  ],
  [
    "a hibernation that is under way",
    () => new Timeline().beatUntil(at("5:00"), IDLE),
    { ...nothing, because: "Hibernation was ordered at 2025-12-19T00:05:00Z" },
  ],
  [
    "one hibernated for idleness",
    () => new Timeline().beatUntil(at("5:00"), IDLE).succeed(),
    { ...nothing, because: "Hibernated since 2025-12-19T00:05:00Z" },
  ],
  [
    "one hibernated for silence",
    hibernatedOrphan,
    {
      next_step: "delete",
      at: "2025-12-26T00:05:00Z",
      in_seconds: (7 * DAY) / 1000 - 1500,
      because: "No heartbeat since 2025-12-19T00:00:00Z, orphaned since 2025-12-19T00:05:00Z",
      blocked_by: null,
    },
  ],
  [
    "one hibernated for silence that is never deleted",
    () => {
      const line = silentFor("30:00", { overrides: { orphan: { delete_after_days: null } } });
      line.permit();
      return line.succeed();
    },
    {
      ...nothing,
      because: "No heartbeat since 2025-12-19T00:00:00Z, orphaned since 2025-12-19T00:05:00Z",
      blocked_by: "policy_disabled",
    },
  ],
  [
    "one whose delete the guard holds back",
    () => {
      const line = hibernatedOrphan().until(at("5:00") + 7 * DAY);
      line.command({ type: "cleanup" });
      return held(line);
    },
    { next_step: "delete", at: "2025-12-26T00:05:00Z", in_seconds: 0, blocked_by: "guard" },
  ],
  [
    "a delete that is under way",
    () => {
      const line = hibernatedOrphan().until(at("5:00") + 7 * DAY);
      line.command({ type: "cleanup" });
      line.permit();
      return line;
    },
    { ...nothing, because: "Deletion was ordered at 2025-12-26T00:05:00Z" },
  ],
  [
    "one that is deleted",
    () => {
      const line = hibernatedOrphan();
      line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
      line.permit();
      return line.succeed();
    },
    { ...nothing, because: "Deleted at 2025-12-26T00:05:00Z; it leaves the list at 2026-01-25T00:05:00Z" },
  ],
  [
    "a wake that is under way",
    () => {
      const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
      line.command({ type: "wake.requested" });
      return line;
    },
    { ...nothing, because: "A wake was ordered at 2025-12-19T00:05:00Z", blocked_by: "wake_grace" },
  ],
  [
    "a wake whose grace is over",
    () => {
      const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
      line.command({ type: "wake.requested" });
      line.policy = { ...line.policy, orphan: { ...line.policy.orphan, enabled: false } };
      return line.until(at("15:00"));
    },
    { ...nothing, because: "A wake was ordered at 2025-12-19T00:05:00Z" },
  ],
  [
    "one that was woken and is idle within the grace",
    () => {
      const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
      line.command({ type: "wake.requested" });
      return line.until(at("6:00")).beatUntil(at("10:00"), IDLE);
    },
    { next_step: "warn", at: "2025-12-19T00:15:00Z", in_seconds: 300, blocked_by: "wake_grace" },
  ],
  [
    "one that was woken, was heard, and is late within the grace",
    () => {
      const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
      line.command({ type: "wake.requested" });
      line.until(at("6:00")).heartbeat();
      return line.until(at("9:00"));
    },
    { next_step: "orphan", at: "2025-12-19T00:15:00Z", in_seconds: 360, blocked_by: null },
  ],
];

describe("the explanation of what comes next", () => {
  it.each(EXPLANATIONS)("for %s", (_, arrange, explanation) => {
    const { lifecycle } = arrange().view;
    expect(lifecycle).toMatchObject(explanation);
    expect(Object.keys(lifecycle).sort()).toEqual(["at", "because", "blocked_by", "in_seconds", "next_step"]);
  });
});

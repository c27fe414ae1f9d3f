import type { PendingEffect } from "../lifecycle/effects.ts";
import type { Heartbeat } from "../lifecycle/heartbeat.ts";
import type { InstanceState } from "../lifecycle/state.ts";

/**
 * The state as it is stored: its heartbeats, which are most of it, as tuples without names, so that the row fits in one
 * page of SQLite (4 KiB). A row of two pages costs a third of the throughput: see docs/performance.md.
 */

type PackedHeartbeat = readonly [
  at: number,
  sequence: number,
  gpuPercent: number | null,
  vramUsedGb: number | null,
  cpuPercent: number | null,
  ramUsedGb: number | null,
  diskUsedGb: number | null,
  costAccumulated: number | null,
  uptimeSeconds: number | null,
  status: string | null,
  activity: string | null,
];

type OtherEffect = Exclude<PendingEffect["effect"], { readonly type: "chunk" }>;

type PackedEffect = {
  readonly id: number;
  readonly effect: OtherEffect | { readonly type: "chunk"; readonly heartbeats: readonly PackedHeartbeat[] };
};

export interface PackedState extends Omit<InstanceState, "recent" | "outbox"> {
  readonly recent: readonly PackedHeartbeat[];
  readonly outbox: readonly PackedEffect[];
}

export function packState(state: InstanceState): PackedState {
  return { ...state, recent: state.recent.map(pack), outbox: state.outbox.map(packEffect) };
}

export function unpackState(packed: PackedState): InstanceState {
  return { ...packed, recent: packed.recent.map(unpack), outbox: packed.outbox.map(unpackEffect) };
}

function packEffect({ id, effect }: PendingEffect): PackedEffect {
  return {
    id,
    effect: effect.type === "chunk" ? { type: "chunk", heartbeats: effect.heartbeats.map(pack) } : effect,
  };
}

function unpackEffect({ id, effect }: PackedEffect): PendingEffect {
  return {
    id,
    effect: effect.type === "chunk" ? { type: "chunk", heartbeats: effect.heartbeats.map(unpack) } : effect,
  };
}

function pack(heartbeat: Heartbeat): PackedHeartbeat {
  return [
    heartbeat.at,
    heartbeat.sequence,
    heartbeat.gpuPercent,
    heartbeat.vramUsedGb,
    heartbeat.cpuPercent,
    heartbeat.ramUsedGb,
    heartbeat.diskUsedGb,
    heartbeat.costAccumulated,
    heartbeat.uptimeSeconds,
    heartbeat.status,
    heartbeat.activity,
  ];
}

function unpack(packed: PackedHeartbeat): Heartbeat {
  const [at, sequence, gpuPercent, vramUsedGb, cpuPercent, ramUsedGb, diskUsedGb, ...rest] = packed;
  const [costAccumulated, uptimeSeconds, status, activity] = rest;
  return {
    at,
    sequence,
    gpuPercent,
    vramUsedGb,
    cpuPercent,
    ramUsedGb,
    diskUsedGb,
    costAccumulated,
    uptimeSeconds,
    status,
    activity,
  };
}

import type { LateReading } from "../../src/lifecycle/model/heartbeat.ts";
import type { Timeline } from "./timeline.ts";

/** A reading that comes late, of its GPU alone. */
export const late = (sequence: number, ageSeconds: number, gpu: number | null = 50): LateReading => [
  sequence,
  ageSeconds,
  gpu,
  null,
  null,
  null,
  null,
  null,
];

/** Everything that was handed to the history, and what still waits for it, by its time. */
export function historyOf(line: Timeline) {
  const { recent, unflushed } = line.state;
  return [
    ...line.effects.flatMap((effect) => (effect.type === "chunk" ? effect.heartbeats : [])),
    ...(unflushed === 0 ? [] : recent.slice(-unflushed)),
  ];
}

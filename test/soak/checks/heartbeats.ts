import type { Beat, LateReading } from "../agent.ts";

/** Whether the history has every acknowledged reading, each once. */

export interface KeptReading {
  readonly number: number;
  readonly at: number;
}

export interface HeartbeatVerdict {
  readonly lost: string[];
  readonly lateLost: string[];
  readonly twice: string[];
}

/** A late reading that lies this close to another one is left out, so that no reading is kept twice. */
export function nearMs(intervalMs: number): number {
  return intervalMs / 2 + 1_000;
}

export function judgeHeartbeats(
  agent: {
    readonly id: string;
    readonly acknowledged: readonly Beat[];
    readonly late: readonly LateReading[];
  },
  kept: readonly KeptReading[],
  intervalMs: number,
): HeartbeatVerdict {
  const times = new Map<number, number[]>();
  for (const { number, at } of kept) times.set(number, [...(times.get(number) ?? []), at]);
  const near = nearMs(intervalMs);
  const hasNear = (moment: number) => kept.some(({ at }) => Math.abs(at - moment) <= near);
  const say = (number: number, at: number) => `${agent.id} number ${number} of ${new Date(at).toISOString()}`;
  return {
    lost: agent.acknowledged
      .filter(({ number }) => !times.has(number))
      .map(({ number, answeredAt }) => say(number, answeredAt)),
    lateLost: agent.late
      .filter(({ number, takenAt }) => !times.has(number) && !hasNear(takenAt))
      .map(({ number, takenAt }) => say(number, takenAt)),
    twice: [...times]
      .filter(([, moments]) => moments.length > 1)
      .map(([number, [first = 0]]) => say(number, first)),
  };
}

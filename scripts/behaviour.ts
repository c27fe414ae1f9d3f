/** How simulated instances behave over their life. */

export interface Reading {
  readonly gpu_utilization: number;
  readonly vram_used_gb: number;
  readonly cpu_utilization: number;
  readonly ram_used_gb: number;
  readonly disk_used_gb: number;
}

export interface Behaviour {
  readonly name: string;
  /** What the instance reports at this minute of its life; null when it is silent. */
  readonly readingAt: (minute: number) => Reading | null;
  /** How often its owner keeps it alive by hand; null for never. */
  readonly keepAliveEveryMinutes: number | null;
}

const busy = (): Reading => reading(70 + Math.random() * 28);
const idle = (): Reading => reading(Math.random() * 3);

function reading(gpuPercent: number): Reading {
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    gpu_utilization: round(gpuPercent),
    vram_used_gb: round(2 + gpuPercent / 5),
    cpu_utilization: round(5 + gpuPercent / 2),
    ram_used_gb: round(8 + gpuPercent / 10),
    disk_used_gb: 45.2,
  };
}

function behaviour(
  name: string,
  readingAt: Behaviour["readingAt"],
  keepAliveEveryMinutes: number | null = null,
): Behaviour {
  return { name, readingAt, keepAliveEveryMinutes };
}

/** At work until this minute of its life, then never heard again. */
export function dyingAt(lastMinute: number): Behaviour {
  return behaviour("dying", (minute) => (minute < lastMinute ? busy() : null));
}

export const BEHAVIOURS = {
  busy: behaviour("busy", busy),
  /** Nothing runs on it: it is warned of, told to hibernate, and obeys. */
  idle: behaviour("idle", idle),
  /** Idle just long enough to be warned of, then at work for a while. */
  bursty: behaviour("bursty", (minute) => (minute % 15 < 4.5 ? idle() : busy())),
  /** Heard once, then never again. */
  dying: dyingAt(0.5),
  flapping: behaviour("flapping", (minute) => (minute % 14 < 6 ? busy() : null)),
  /** A batch job that runs no agent after its start: its owner keeps it alive. */
  batch: behaviour("batch", (minute) => (minute < 0.5 ? busy() : null), 45),
  /** Cut off for a while, and back. */
  recovering: behaviour("recovering", (minute) => (minute >= 3 && minute < 15 ? null : busy())),
} as const satisfies Record<string, Behaviour>;

/** Whether the server's memory stays level: the last third of the time against the first. */

export interface MemorySample {
  /** From the start of the soak. */
  readonly atMs: number;
  /** Since the server process began: a young one has not yet reached its size. */
  readonly ageMs: number;
  readonly bytes: number;
}

export interface MemoryVerdict {
  readonly firstBytes: number;
  readonly lastBytes: number;
  readonly isLevel: boolean;
}

/** The last third may take so much more than the first. */
export const MEMORY_BOUND = 1.25;

const YOUNG_MS = 60_000;

/** Null when there are too few samples to say anything. */
export function judgeMemory(samples: readonly MemorySample[], durationMs: number): MemoryVerdict | null {
  const grown = samples.filter(({ ageMs }) => ageMs >= YOUNG_MS);
  const first = median(grown.filter(({ atMs }) => atMs < durationMs / 3));
  const last = median(grown.filter(({ atMs }) => atMs >= (2 * durationMs) / 3));
  if (first === null || last === null) return null;
  return { firstBytes: first, lastBytes: last, isLevel: last <= first * MEMORY_BOUND };
}

function median(samples: readonly MemorySample[]): number | null {
  const sorted = samples.map(({ bytes }) => bytes).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/**
 * A virtual clock and one seeded source of chance. Whatever is asynchronous in the simulated world waits here, and goes
 * on in an order that the seed decides: the same seed lives the same life again.
 */
export class Scheduler {
  now: number;
  /** While false, nothing fails, crashes or is held up: the world comes to rest. */
  hostile = true;
  #state: number;
  #sequence = 0;
  readonly #tasks: Task[] = [];
  readonly #timers = new Set<number>();

  constructor(seed: number, startAt: number) {
    this.#state = seed | 0;
    this.now = startAt;
  }

  /** Between 0 and 1, by mulberry32. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.hostile && this.random() < probability;
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** Runs `task` at a moment, or at once if that is past. A clock shows whole milliseconds, and no timer fires early. */
  at(moment: number, task: () => void): void {
    this.#sequence += 1;
    push(this.#tasks, { at: Math.max(Math.ceil(moment), this.now), sequence: this.#sequence, run: task });
  }

  /** As `setTimeout`: runs `task` once, unless the timer that it returns is cancelled before. */
  after(ms: number, task: () => void): number {
    const timer = this.#sequence + 1;
    this.#timers.add(timer);
    this.at(this.now + ms, () => {
      if (this.#timers.delete(timer)) task();
    });
    return timer;
  }

  cancel(timer: number): void {
    this.#timers.delete(timer);
  }

  /** How long a call takes: mostly milliseconds, now and then so long that much else happens meanwhile. */
  latencyMs(): number {
    return this.chance(0.02) ? this.between(1_000, 90_000) : this.between(1, 40);
  }

  /** Lives until `moment`. What is due at the same time comes in the order in which it was planned. */
  async runUntil(moment: number): Promise<void> {
    for (let first = this.#tasks[0]; first !== undefined && first.at <= moment; first = this.#tasks[0]) {
      pop(this.#tasks);
      this.now = first.at;
      first.run();
      await settled();
    }
    this.now = moment;
  }
}

interface Task {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** All promises that can go on have gone on: none of the simulated world waits for anything but the scheduler. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const isBefore = (a: Task, b: Task) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence);

function push(heap: Task[], task: Task): void {
  let index = heap.length;
  heap.push(task);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(task, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = task;
}

function pop(heap: Task[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
    const child = right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
    if (child === undefined || !isBefore(child, last)) break;
    heap[index] = child;
    index = child === right ? 2 * index + 2 : 2 * index + 1;
  }
  heap[index] = last;
}

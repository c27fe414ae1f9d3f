import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { MachineState } from "../../scripts/control-plane.ts";
import type { Answers } from "./answers.ts";
import { type Doing, nextStretch } from "./life.ts";
import type { Seeded } from "./seeded.ts";

/** A simulated agent, which beats and sends again as `agent/dumont-agent` does, and keeps what it was answered. */

/** A reading, told from all others of its instance by its number, which it reports as its cost. */
interface Reading {
  readonly number: number;
  readonly sequence: number;
  readonly takenAt: number;
  readonly gpuPercent: number;
}

/** A heartbeat that was answered 200. */
export interface Beat {
  readonly number: number;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly isIdle: boolean;
}

/** A reading that an acknowledged heartbeat carried. */
export interface LateReading {
  readonly number: number;
  readonly takenAt: number;
}

const BACKLOG_MAXIMUM = 240;
/** So many surely fit into 16 KiB. */
const BACKLOG_SENT = 150;
const PAUSE_MAXIMUM_MS = 110_000;
/** Machines are started one after the other, not all at once. */
const FIRST_WITHIN_MS = 20_000;

export interface AgentOptions {
  readonly id: string;
  readonly token: string;
  /** Its owner's. */
  readonly userToken: string;
  readonly intervalMs: number;
  readonly answers: Answers;
  readonly chance: Seeded;
  readonly machine: () => MachineState;
}

export class SoakAgent {
  readonly id: string;
  readonly userToken: string;
  readonly acknowledged: Beat[] = [];
  readonly late: LateReading[] = [];
  /** When its owner asked for it to be started. */
  readonly wokenAt: number[] = [];
  sent = 0;
  /** Its owner will not start it again. */
  isForgotten = false;
  #doing: Doing = "busy";
  readonly #options: AgentOptions;
  #stretchEndsAt = 0;
  #number = 0;
  #sequence = 0;
  #bootId: string | null = null;
  #backlog: Reading[] = [];
  #failures = 0;

  constructor(options: AgentOptions) {
    this.id = options.id;
    this.userToken = options.userToken;
    this.#options = options;
  }

  /** Lives until `signal` aborts, or until its machine is deleted. */
  async live(signal: AbortSignal): Promise<void> {
    const { chance, machine } = this.#options;
    await pause(chance.next() * FIRST_WITHIN_MS, signal);
    while (!signal.aborted && machine() !== "gone") {
      const waitMs = await this.#tick();
      await pause(waitMs * chance.between(0.9, 1.1), signal);
    }
  }

  async #tick(): Promise<number> {
    const { intervalMs, machine } = this.#options;
    if (machine() === "stopped") {
      this.#shutDown();
      return intervalMs / 2;
    }
    const now = Date.now();
    if (now >= this.#stretchEndsAt) {
      const { doing, forMs } = nextStretch(this.#options.chance);
      this.#doing = doing;
      this.isForgotten = doing === "forgotten";
      this.#stretchEndsAt = now + forMs;
    }
    switch (this.#doing) {
      case "busy":
      case "idle":
        return this.#beat(this.#read());
      case "cut off":
        this.#remember(this.#read());
        return intervalMs;
      case "stuck":
      case "forgotten":
        return intervalMs;
    }
  }

  /** A machine that was stopped forgets what it had not sent, and begins anew when it is started. */
  #shutDown(): void {
    if (this.#bootId === null) return;
    this.#bootId = null;
    this.#backlog = [];
    this.#failures = 0;
    this.#doing = "busy";
    this.#stretchEndsAt = 0;
  }

  #read(): Reading {
    if (this.#bootId === null) {
      this.#bootId = randomUUID();
      this.#sequence = 0;
    }
    this.#number += 1;
    this.#sequence += 1;
    const gpuPercent = this.#doing === "idle" ? 1 : 90;
    return { number: this.#number, sequence: this.#sequence, takenAt: Date.now(), gpuPercent };
  }

  #remember(reading: Reading): void {
    this.#backlog = [...this.#backlog, reading].slice(-BACKLOG_MAXIMUM);
  }

  async #beat(reading: Reading): Promise<number> {
    const { answers, token, intervalMs } = this.#options;
    const carried = this.#backlog.slice(-BACKLOG_SENT);
    this.sent += 1;
    const sentAt = Date.now();
    const answer = await answers.ask("POST", "/api/agent/status", token, {
      instance_id: this.id,
      gpu_utilization: reading.gpuPercent,
      cost_accumulated: reading.number,
      status: "running",
      boot_id: this.#bootId,
      sequence: reading.sequence,
      backlog: carried.map((each) => [
        each.sequence,
        (sentAt - each.takenAt) / 1000,
        each.gpuPercent,
        null,
        null,
        null,
        null,
        each.number,
      ]),
    });
    if (answer?.status === 200) {
      const answeredAt = Date.now();
      const isIdle = reading.gpuPercent < 5;
      this.acknowledged.push({ number: reading.number, sentAt, answeredAt, isIdle });
      this.late.push(...carried);
      this.#backlog = [];
      this.#failures = 0;
      return intervalMs;
    }
    this.#failures += 1;
    this.#remember(reading);
    const asked = (answer?.retryAfterSeconds ?? 0) * 1000;
    const patience = answer === null ? intervalMs : Math.min(2 * intervalMs, intervalMs * this.#failures);
    return Math.min(PAUSE_MAXIMUM_MS, Math.max(asked, patience));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

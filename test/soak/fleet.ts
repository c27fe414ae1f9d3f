import { setTimeout as sleep } from "node:timers/promises";
import { createUser, registerInstance, request, type User } from "../../scripts/client.ts";
import type { ControlPlane } from "../../scripts/control-plane.ts";
import { SoakAgent } from "./agent.ts";
import type { Answers } from "./answers.ts";
import type { OrderRules } from "./checks/orders.ts";
import { Seeded } from "./seeded.ts";

/** The users of the soak and their machines. */

export const SPEED = 60;

/** An instance beats every five minutes of its time, which are five seconds. */
const POLICY = {
  heartbeat_interval_seconds: 300,
  idle: { warn_after_seconds: 700, hibernate_after_seconds: 800 },
  orphan: {
    orphan_after_seconds: 1800,
    hibernate_after_seconds: 3600,
    force_hibernate_after_seconds: 7200,
    delete_after_days: 0.1,
  },
  // Longer than the rest at the end, in which all are silent.
  guard: { max_hold_seconds: 86_400 },
};

const DAY_SECONDS = 86_400;
const realMs = (seconds: number) => (seconds * 1000) / SPEED;

export const INTERVAL_MS = realMs(POLICY.heartbeat_interval_seconds);

export const ORDER_RULES: OrderRules = {
  hibernateAfterMs: realMs(POLICY.orphan.hibernate_after_seconds),
  forceHibernateAfterMs: realMs(POLICY.orphan.force_hibernate_after_seconds),
  deleteAfterMs: realMs(POLICY.orphan.delete_after_days * DAY_SECONDS),
  idleHibernateAfterMs: realMs(POLICY.idle.hibernate_after_seconds),
};

/** Each user is told by two channels, of which one may fail while the other does not. */
export const CHANNELS_PER_USER = 2;

const AT_ONCE = 8;

export interface FleetOptions {
  readonly url: string;
  readonly adminToken: string;
  readonly plane: ControlPlane;
  readonly receiver: { readonly url: string; readonly secret: string };
  readonly answers: Answers;
  readonly seed: number;
}

export class SoakFleet {
  readonly users: User[] = [];
  readonly agents: SoakAgent[] = [];
  readonly #options: FleetOptions;
  readonly #living = new Set<Promise<void>>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Makes users with all that they need, and registers the first instances of each. */
  async create(users: number, instances: number): Promise<void> {
    const { url, adminToken, plane, receiver } = this.#options;
    for (let index = 0; index < users; index++) {
      const user = await createUser(url, adminToken, `user ${index}`);
      this.users.push(user);
      const api = (path: string, method: string, json: unknown) =>
        request(`${url}/api/agent${path}`, method, user.token, json);
      await api("/providers/webhook", "PUT", { url: plane.url, secret: plane.secret });
      await api("/policy", "PUT", POLICY);
      for (let channel = 0; channel < CHANNELS_PER_USER; channel++) {
        const settings = { kind: "webhook", url: `${receiver.url}${channelPath(user.id, channel)}` };
        await api("/channels", "POST", {
          name: `channel ${channel}`,
          minimum_severity: "info",
          settings: { ...settings, secret: receiver.secret },
        });
      }
    }
    for (let first = 0; first < instances; first += AT_ONCE) {
      const ids = Array.from({ length: Math.min(AT_ONCE, instances - first) }, (_, index) => first + index);
      await Promise.all(ids.map((number) => this.#register(number, `rig-${number}`)));
    }
  }

  async #register(number: number, id: string): Promise<SoakAgent> {
    const { url, plane, answers, seed } = this.#options;
    const user = this.users[number % this.users.length];
    if (user === undefined) throw new Error("there are no users");
    const token = await registerInstance(url, user.token, {
      instance_id: id,
      name: id,
      hourly_cost: 0.4,
      hibernated_hourly_cost: 0.01,
      provider: "webhook",
    });
    const agent = new SoakAgent({
      id,
      token,
      userToken: user.token,
      intervalMs: INTERVAL_MS,
      answers,
      chance: new Seeded(seed * 7919 + number),
      machine: () => plane.machines.get(id) ?? "running",
    });
    this.agents.push(agent);
    return agent;
  }

  /** All live until `signal` aborts. A machine that was deleted is followed by a new one, so that there are always as many. */
  live(signal: AbortSignal): void {
    for (const [number, agent] of this.agents.entries()) this.#keep(this.#liveOn(number, agent, signal));
  }

  #keep(life: Promise<void>): void {
    this.#living.add(life);
    void life.finally(() => this.#living.delete(life));
  }

  async #liveOn(number: number, first: SoakAgent, signal: AbortSignal): Promise<void> {
    let agent = first;
    for (let follower = 2; ; follower++) {
      await agent.live(signal);
      if (signal.aborted) return;
      agent = await this.#follow(number, `rig-${number}-${follower}`, signal);
    }
  }

  async #follow(number: number, id: string, signal: AbortSignal): Promise<SoakAgent> {
    for (;;) {
      try {
        return await this.#register(number, id);
      } catch (error) {
        if (signal.aborted) throw error;
        await sleep(INTERVAL_MS);
      }
    }
  }

  /** Resolves once the last agent has gone to rest. */
  async atRest(): Promise<void> {
    await Promise.allSettled(this.#living);
  }
}

export function channelPath(userId: string, channel: number): string {
  return `/${userId}/${channel}`;
}

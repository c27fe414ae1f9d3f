import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import type { Line } from "../../src/backup/lines.ts";
import { type DayCosts, KEPT_DAYS, type Use } from "../../src/lifecycle/model/ledger.ts";
import { DAY_MS, HOUR_MS, SECOND_MS, startOfUtcDay } from "../../src/lifecycle/model/time.ts";
import { FakeSlack } from "../outside/slack.ts";
import type { ServerWorld } from "../server/world.ts";
import { type Past, userWithPast } from "./past-week.ts";

/** An account in which there is something of everything that the page can show. */

const BEAT_EVERY_MS = 5000;
const DAYS = 40;
/** Beside today. */
const DAYS_KEPT_BY_INSTANCE = KEPT_DAYS - 1;
const LOOK_EVERY_MS = 200;
const LONGEST_WAIT_MS = 420_000;
const KEEP_ALIVE = /https?:\/\/[^\s|>]+\/keep-alive\/[\w.-]+/;

/** Two runs of training a day, and a pause in each. */
const training = (minute: number) => {
  const hour = (minute / 60) % 24;
  const isWorking = hour > 7.2 && hour < 22.5 && !(hour > 12.1 && hour < 13.4);
  return isWorking ? 88 + 9 * Math.sin(minute / 7) : hour > 22.5 ? 0 : 97;
};

/** Somebody at a keyboard, five days of the week. */
const notebook = (minute: number) =>
  minute % 1440 > 540 && minute % 1440 < 1080 && minute % 45 > 12 ? 30 + 25 * Math.sin(minute / 5) : 1;

const PASTS: readonly Past[] = [
  {
    instance_id: "trainer",
    name: "Llama fine-tune",
    tags: { team: "language", env: "prod" },
    hourly_cost: 2.49,
    hibernated_hourly_cost: 0.12,
    gpuPercent: training,
  },
  {
    instance_id: "notebook",
    name: "Notebook of Inês",
    tags: { team: "research" },
    hourly_cost: 0.44,
    hibernated_hourly_cost: 0.01,
    gpuPercent: notebook,
  },
  {
    instance_id: "render",
    name: "Render node 3",
    tags: { team: "video" },
    hourly_cost: 1.1,
    hibernated_hourly_cost: 0.05,
    gpuPercent: (minute) => (minute % 360 < 200 ? 70 + 20 * Math.sin(minute / 11) : 2),
  },
];

/** What works now, and how hard. */
const BEATING: Readonly<Record<string, number>> = { trainer: 93, render: 71, batch: 64, stubborn: 80 };

interface Parts {
  readonly url: string;
  readonly user: User;
  readonly empty: User;
  readonly plane: ControlPlane;
  readonly slack: FakeSlack;
  /** By instance. */
  readonly tokens: ReadonlyMap<string, string>;
}

export class FullAccount {
  readonly #parts: Parts;
  readonly #end = new AbortController();
  #beating: Promise<void> = Promise.resolve();

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In whose account it all is. */
  get user(): User {
    return this.#parts.user;
  }

  /** In whose account there is nothing. */
  get empty(): User {
    return this.#parts.empty;
  }

  /** `isHasty`: what takes minutes by the service's own policy takes seconds. */
  static async make(world: ServerWorld, isHasty: boolean): Promise<FullAccount> {
    const [plane, slack] = [await ControlPlane.start(), await FakeSlack.start()];
    plane.interventions.set("stubborn", ({ kind }) =>
      kind === "hibernate" ? { status: 400, body: { error: "the machine does not react" } } : undefined,
    );
    const now = Date.now();
    const kept = daysBefore(now, DAYS_KEPT_BY_INSTANCE).reverse();
    const pasts = PASTS.map((past, which) => ({
      ...past,
      lastDays: kept.map((day) => dayCosts(past, which, day)),
    }));
    const user = await userWithPast(world, "u-lab", pasts, costDays(now));
    const ask = (method: string, path: string, json?: unknown) =>
      request(`${world.url}/api/agent${path}`, method, user.token, json);
    const tokens = new Map<string, string>();
    const keepToken = (id: string, answer: unknown) =>
      tokens.set(id, z.object({ token: z.string() }).parse(answer).token);
    const register = async (instance_id: string, name: string, more: object) =>
      keepToken(instance_id, await ask("POST", "/instances", { instance_id, name, ...more }));

    await ask("PATCH", "/account", { name: "Lovelace Lab", time_zone: "America/Sao_Paulo" });
    await ask("PUT", "/providers/webhook", { url: plane.url, secret: plane.secret });
    await ask("POST", "/connections?verify=false", {
      provider: "vast",
      name: "Team B",
      credentials: { api_key: "vast-key-0123456789" },
    });
    await ask("POST", "/channels", { name: "#gpus", settings: { kind: "slack", url: slack.url } });
    await ask("POST", "/channels", {
      name: "Phones of those who are on call this week",
      settings: { kind: "ntfy", server: slack.url, topic: "dumont-on-call" },
      minimum_severity: "critical",
    });
    await ask("PUT", "/budget", { day: 120, month: 2500, at_limit: "alert" });
    await ask("PUT", "/policy", { guard: { enabled: false } });
    await ask("POST", "/tokens", { name: "prometheus", role: "metrics", expires_in_days: 365 });
    await ask("POST", "/invitations", { name: "Grace", role: "operator" });
    for (const { instance_id } of PASTS) {
      keepToken(instance_id, await ask("POST", `/instances/${instance_id}/token`));
      await ask("PATCH", `/instances/${instance_id}`, { provider: "webhook" });
    }
    await ask("PATCH", "/instances/notebook", {
      policy: {
        heartbeat_interval_seconds: isHasty ? 5 : 60,
        idle: { warn_after_seconds: isHasty ? 6 : 180, hibernate_after_seconds: 3600 },
      },
    });
    const paid = { hourly_cost: 0.79, hibernated_hourly_cost: 0.03 };
    await register("batch", "Embedding batch", { ...paid, provider: "webhook", tags: { team: "search" } });
    await register("stubborn", "Old A100 box", { ...paid, hourly_cost: 1.35, provider: "webhook" });
    await register("lost", "Crawler that nobody remembers, with a long name", {
      ...paid,
      provider: "none",
      tags: { team: "search", owner: "nobody-in-particular" },
      ...(isHasty && {
        policy: {
          heartbeat_interval_seconds: 5,
          orphan: { orphan_after_seconds: 16, hibernate_after_seconds: 3600 },
        },
      }),
    });
    await register("unheard", "New machine", { provider: "agent" });
    await register("sleeper", "Weekend sweep", { ...paid, hourly_cost: 3.2, provider: "webhook" });

    const empty = await world.newUser("Nobody yet");
    const account = new FullAccount({ url: world.url, user, empty, plane, slack, tokens });
    for (const id of ["lost", "sleeper"]) await account.#beat(id, 50);
    account.#beating = account.#beatOn();
    await ask("POST", "/instances/render/keep-alive", { minutes: 240 });
    await ask("POST", "/instances/sleeper/hibernate");
    await account.#beat("stubborn", 80);
    await ask("POST", "/instances/stubborn/hibernate");
    return account;
  }

  /** Once its owner has been told of the one that idles and the one that is silent: the link that keeps the former alive. */
  async told(): Promise<string> {
    for (let waitedMs = 0; waitedMs < LONGEST_WAIT_MS; waitedMs += LOOK_EVERY_MS) {
      const link = KEEP_ALIVE.exec(this.#parts.slack.texts.join("\n"))?.[0];
      if (link !== undefined && this.#parts.slack.texts.some((text) => text.includes("Crawler"))) return link;
      await sleep(LOOK_EVERY_MS);
    }
    throw new Error(`told only: ${this.#parts.slack.texts.join("; ")}`);
  }

  async end(): Promise<void> {
    this.#end.abort();
    await this.#beating;
    await this.#parts.slack.stop();
    await this.#parts.plane.stop();
  }

  async #beatOn(): Promise<void> {
    while (!this.#end.signal.aborted) {
      for (const [id, gpu] of Object.entries({ ...BEATING, notebook: 1 })) await this.#beat(id, gpu);
      await sleep(BEAT_EVERY_MS, undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  async #beat(instance_id: string, gpu_utilization: number): Promise<void> {
    const reading = {
      gpu_utilization,
      cpu_utilization: gpu_utilization / 3,
      vram_used_gb: 40,
      ram_used_gb: 61,
    };
    const token = this.#parts.tokens.get(instance_id) ?? "";
    await sendHeartbeat(this.#parts.url, token, { instance_id, ...reading }).catch(() => null);
  }
}

/** What an instance has cost on a day. */
function dayCosts(
  { hourly_cost = 0, hibernated_hourly_cost = 0 }: Past,
  which: number,
  day: number,
): DayCosts {
  const isWeekend = [0, 6].includes(new Date(day).getUTCDay());
  const number = day / DAY_MS;
  const working = isWeekend ? 3 + which : 14 + 2 * Math.sin(number + which);
  const idle = 1.4 + Math.sin(3 * number + which);
  const silent = number % 9 === 4 && which === 1 ? 3 : 0;
  const hibernated = 24 - working - idle - silent;
  const spent = (hours: number, price = hourly_cost) => ({ ms: hours * HOUR_MS, dollars: hours * price });
  return {
    day,
    working: spent(working),
    idle: spent(idle),
    silent: spent(silent),
    hibernated: spent(hibernated, hibernated_hourly_cost),
    wasted: (idle + silent) * hourly_cost,
    saved: hibernated * (hourly_cost - hibernated_hourly_cost),
    reported: 0,
    unpricedMs: 0,
  };
}

/** The days before today, the last one first. */
function daysBefore(now: number, count: number): number[] {
  const today = startOfUtcDay(now);
  return Array.from({ length: count }, (_, back) => today - (back + 1) * DAY_MS);
}

/** Those days that the history keeps, of which the instances themselves no longer do. */
function costDays(now: number): Line[] {
  return PASTS.flatMap((past, which) =>
    daysBefore(now, DAYS)
      .slice(DAYS_KEPT_BY_INSTANCE)
      .map((day) => {
        const costs = dayCosts(past, which, day);
        const seconds = (use: Use) => costs[use].ms / SECOND_MS;
        return {
          type: "cost_day" as const,
          day,
          instance_id: past.instance_id,
          working_seconds: seconds("working"),
          working: costs.working.dollars,
          idle_seconds: seconds("idle"),
          idle: costs.idle.dollars,
          silent_seconds: seconds("silent"),
          silent: costs.silent.dollars,
          hibernated_seconds: seconds("hibernated"),
          hibernated: costs.hibernated.dollars,
          wasted: costs.wasted,
          saved: costs.saved,
          reported: 0,
          unpriced_seconds: 0,
          provider: "webhook",
          tags: JSON.stringify(past.tags ?? {}),
          closed_at: day + DAY_MS,
        };
      }),
  );
}

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import parsePrometheusTextFormat from "parse-prometheus-text-format";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { listUsers } from "../../src/accounts/users.ts";
import { actorOf, fleetOf } from "../../src/platform/address.ts";
import { SHARDS, shardNumbered } from "../../src/service/address.ts";
import { readService } from "../../src/service/service.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const parsedSchema = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    metrics: z.array(z.object({ value: z.string(), labels: z.record(z.string(), z.string()).optional() })),
  }),
);

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** What an independent parser makes of the text: samples by metric. */
async function scrape(token: string): Promise<Map<string, Sample[]>> {
  // What was scraped before must not be what is seen now.
  setClock(Date.now() + 15_000);
  const { status, body } = await call("GET", "/metrics", { token });
  expect(status).toBe(200);
  return new Map(
    parsedSchema
      .parse(parsePrometheusTextFormat(body))
      .map(({ name, metrics }) => [
        name,
        metrics.map(({ labels, value }) => ({ labels: labels ?? {}, value: Number(value) })),
      ]),
  );
}

/** The counters, once every shard has told of its own. */
async function readCounts() {
  for (let shard = 0; shard < SHARDS; shard++) await runDurableObjectAlarm(shardNumbered(env, shard));
  return (await readService(env)).counts;
}

/** How many instances of all users have each status, as each instance says. */
async function recount(): Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  for (const { id } of await listUsers(env.DB, "", 1000)) {
    for (const instanceId of await fleetOf(env, id).instanceIds("", 1000)) {
      const view = await actorOf(env, id, instanceId).live();
      const status = view !== null && "status" in view ? view.status : "unreadable";
      counted.set(status, (counted.get(status) ?? 0) + 1);
    }
  }
  return counted;
}

/** Every fleet tells its totals, and every shard what it has. */
async function everyFleetReports(): Promise<void> {
  setClock(Date.now() + 15_000);
  for (const { id } of await listUsers(env.DB, "", 1000)) await runDurableObjectAlarm(fleetOf(env, id));
  for (let shard = 0; shard < SHARDS; shard++) await runDurableObjectAlarm(shardNumbered(env, shard));
}

const figure = (metrics: Map<string, Sample[]>, name: string, instanceId: string) =>
  metrics.get(name)?.find(({ labels }) => labels.instance_id === instanceId)?.value;

describe("a user's metrics", () => {
  it("hold each instance's figures, and the user's totals", async () => {
    const user = await newUser();
    const busy = await Instance.register(user, "busy", { name: "Busy", hourly_cost: 2 });
    const lost = await Instance.register(user, "lost", { name: "Lost", hourly_cost: 1 });
    await lost.heartbeat({ gpu_utilization: 50, cost_accumulated: 12 });
    for (let minute = 0; minute <= 6; minute++) {
      await busy.until(DAY + minute * MINUTE);
      await busy.heartbeat({
        gpu_utilization: 80,
        vram_used_gb: 18.5,
        cpu_utilization: 40,
        ram_used_gb: 12,
        disk_used_gb: 45,
        cost_accumulated: 2 + minute,
      });
    }
    setClock(DAY);
    await lost.until(DAY + 6 * MINUTE);
    const metrics = await scrape(user.token);
    const of = (name: string) => [figure(metrics, name, "busy"), figure(metrics, name, "lost")];
    expect(of("dumont_agents_orphaned")).toEqual([0, 1]);
    expect(of("dumont_agents_gpu_utilization_percent")).toEqual([80, undefined]);
    expect(of("dumont_agents_gpu_utilization")).toEqual([80, undefined]);
    expect(of("dumont_agents_vram_used_bytes")).toEqual([18.5e9, undefined]);
    expect(of("dumont_agents_cost_accumulated")).toEqual([8, 12]);
    // One that was silent for six minutes and fifteen seconds goes on costing.
    expect(of("dumont_agents_cost_today")).toEqual([8, 12.1042]);
    expect(metrics.get("dumont_agents_cost_rate")?.[0]?.value).toBe(3);
    expect(metrics.get("dumont_agents_wasted_rate")?.[0]?.value).toBe(1);
    expect(metrics.get("dumont_agents_rate_unknown")?.[0]?.value).toBe(0);
    expect(of("dumont_agents_seconds_since_heartbeat")).toEqual([15, 375]);
    expect(of("dumont_agents_heartbeats_total")).toEqual([7, 1]);
    expect(of("dumont_agents_heartbeat_missed_total")).toEqual([0, 5]);
    expect(of("dumont_agents_hibernated")).toEqual([0, 0]);
    expect(metrics.get("dumont_agents_active")).toEqual([{ labels: {}, value: 1 }]);
    expect(metrics.get("dumont_agents_hourly_cost_dollars")).toEqual([{ labels: {}, value: 2 }]);
    expect(metrics.get("dumont_agents_instances")).toEqual(
      expect.arrayContaining([
        { labels: { status: "running" }, value: 1 },
        { labels: { status: "orphaned" }, value: 1 },
      ]),
    );
    expect(metrics.get("dumont_agents_scrape_errors")).toEqual([{ labels: {}, value: 0 }]);
    // The specification's rule joins these two: their labels must be the same.
    const labelsOf = (name: string) =>
      metrics.get(name)?.find(({ labels }) => labels.instance_id === "busy")?.labels;
    expect(labelsOf("dumont_agents_gpu_utilization")).toEqual(labelsOf("dumont_agents_cost_accumulated"));
  });

  it("say how the budget stands, and what was saved, which never falls", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "one", {
      provider: "agent",
      hourly_cost: 2,
      hibernated_hourly_cost: 0,
    });
    await one.heartbeat();
    await one.ask("POST", "/hibernate");
    await one.heartbeat();
    await one.until(DAY + 10 * MINUTE);
    await one.settled();
    await call("PUT", "/api/agent/budget", { token: user.token, json: { day: 5 } });
    setClock(DAY + 70 * MINUTE);
    const before = await scrape(user.token);
    expect(before.get("dumont_agents_budget_limit_dollars")).toEqual([
      { labels: { period: "day" }, value: 5 },
    ]);
    const spent = before.get("dumont_agents_budget_spent_dollars")?.map(({ labels }) => labels.period);
    expect(spent).toEqual(["day", "month"]);
    const saved = before.get("dumont_agents_saved_total")?.[0]?.value ?? 0;
    expect(saved).toBeGreaterThan(2);
    await one.ask("DELETE");
    setClock(DAY + 71 * MINUTE);
    const after = await scrape(user.token);
    expect(after.get("dumont_agents_saved_total")?.[0]?.value).toBeGreaterThanOrEqual(saved);
  });

  it("say what the newest preview came to, and nothing before there is one", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", {
      hourly_cost: 2,
      hibernated_hourly_cost: 0,
      policy: { idle: { enabled: false } },
    });
    for (let minute = 0; minute <= 120; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat({ gpu_utilization: 0 });
    }
    const names = [...(await scrape(user.token)).keys()];
    expect(names.filter((name) => name.startsWith("dumont_agents_preview_"))).toEqual([]);
    const askedAt = Date.now();
    const json = { policy: { preset: "balanced" }, instances: ["rig"], instance_policy: {} };
    const started = await call("POST", "/api/agent/policy/preview", { token: user.token, json });
    expect(started.body.state).toBe("done");
    const metrics = await scrape(user.token);
    const byWhom = (name: string) =>
      Object.fromEntries(metrics.get(name)?.map(({ labels, value }) => [labels.of, value]) ?? []);
    const results: { of: string; saved: number; interruptions: number }[] = started.body.results;
    const saved = byWhom("dumont_agents_preview_saved");
    expect(Object.keys(saved)).toEqual(results.map(({ of }) => of));
    for (const { of, saved: dollars } of results) expect(saved[of]).toBeCloseTo(dollars, 3);
    expect(saved.actual).toBe(0);
    // Idle for 30 of the 120 minutes, it would have been hibernated for the rest.
    expect(saved.candidate).toBeCloseTo(3, 1);
    expect(byWhom("dumont_agents_preview_interruptions")).toEqual({
      candidate: 0,
      in_force: 0,
      thrifty: 0,
      balanced: 0,
      careful: 0,
    });
    expect(metrics.get("dumont_agents_preview_ended_timestamp_seconds")?.[0]?.value).toBe(askedAt / 1000);
  });

  it("are told right whatever a name holds", async () => {
    const user = await newUser();
    const names = ['a "quoted" name', "back\\slash\\n", "line\nbreak", "emoji 🚀", '{a="b"} 1', "ü,}="];
    for (const [index, name] of names.entries()) await Instance.register(user, `rig-${index}`, { name });
    const metrics = await scrape(user.token);
    expect(metrics.get("dumont_agents_orphaned")?.map(({ labels }) => labels)).toEqual(
      names.map((name, index) => ({ instance_id: `rig-${index}`, name })),
    );
  });

  it("count hibernations by reason, and those that were undone within ten minutes", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const hibernate = async () => {
      await one.ask("POST", "/hibernate");
      await one.heartbeat();
      await one.heartbeat({ status: "hibernating" });
      await one.until(Date.now() + 2 * MINUTE);
    };
    await one.heartbeat();
    await hibernate();
    await one.until(Date.now() + 9 * MINUTE);
    await one.heartbeat();
    await hibernate();
    await one.until(Date.now() + 11 * MINUTE);
    await one.heartbeat();
    await one.settled();
    const metrics = await scrape(user.token);
    expect(metrics.get("dumont_agents_hibernations_total")).toEqual([
      { labels: { reason: "owner" }, value: 2 },
    ]);
    expect(metrics.get("dumont_agents_hibernations_regretted_total")).toEqual([
      { labels: { reason: "owner" }, value: 1 },
    ]);
  });

  it("lose an instance that is removed, and keep those of others apart", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await Instance.register(await newUser("Eve"), "rig");
    expect((await scrape(user.token)).get("dumont_agents_orphaned")).toHaveLength(1);
    await one.ask("DELETE");
    expect((await scrape(user.token)).get("dumont_agents_orphaned") ?? []).toEqual([]);
  });

  it("lack an instance that cannot be asked, count it, and hold all the others", async () => {
    const user = await newUser();
    const rigs = await Promise.all(["a", "b", "c"].map((id) => Instance.register(user, id)));
    const broken = rigs[1]?.actor.id.toString();
    const { InstanceActor } = await import("../../src/worker.ts");
    const sample = InstanceActor.prototype.sample;
    vi.spyOn(InstanceActor.prototype, "sample").mockImplementation(async function (this: {
      ctx: DurableObjectState;
    }) {
      if (this.ctx.id.toString() === broken) throw new Error("out of reach");
      return sample.call(this as never);
    } as never);
    const metrics = await scrape(user.token);
    expect(metrics.get("dumont_agents_orphaned")?.map(({ labels }) => labels.instance_id)).toEqual([
      "a",
      "c",
    ]);
    expect(metrics.get("dumont_agents_scrape_errors")).toEqual([{ labels: {}, value: 1 }]);
  });

  it("are at most fifteen seconds old", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    const before = (await call("GET", "/metrics", { token: user.token })).body;
    await one.heartbeat();
    setClock(DAY + 14_999);
    expect((await call("GET", "/metrics", { token: user.token })).body).toBe(before);
    setClock(DAY + 15_000);
    expect((await call("GET", "/metrics", { token: user.token })).body).not.toBe(before);
  });

  it("come as OpenMetrics when asked so", async () => {
    const { token } = await newUser();
    const text = await call("GET", "/metrics", { token });
    expect(text.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const open = await call("GET", "/metrics", {
      token,
      headers: { Accept: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5" },
    });
    expect(open.headers.get("Content-Type")).toContain("application/openmetrics-text; version=1.0.0");
    expect(open.body.endsWith("# EOF\n")).toBe(true);
  });
});

describe("the service's metrics", () => {
  it("count heartbeats by what became of them, and hold no user's series", async () => {
    setClock(DAY - 2 * MINUTE);
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    const initially = await readCounts();
    // What was counted before is handed over first: a steady heartbeat is counted once, and nothing after it.
    setClock(DAY - MINUTE);
    await one.heartbeat();
    const before = await vi.waitFor(async () => {
      const counts = await readCounts();
      expect(counts).not.toEqual(initially);
      return counts;
    }, 60_000);
    setClock(DAY - MINUTE + 1000);
    for (let beat = 0; beat < 3; beat++) await one.heartbeat();
    await one.heartbeat({ gpu_utilization: "no" });
    await call("POST", "/api/agent/status", { token: "x.y.z", json: {} });
    // Counts are handed over by the next one that comes late enough.
    setClock(DAY + MINUTE);
    await one.heartbeat();
    await expect
      .poll(async () => {
        const counts = await readCounts();
        const grown = (labels: object) => {
          const key = `heartbeats${JSON.stringify(labels)}`;
          return (counts[key] ?? 0) - (before[key] ?? 0);
        };
        return [
          grown({ outcome: "accepted", reason: "" }),
          grown({ outcome: "refused", reason: "invalid" }),
          grown({ outcome: "refused", reason: "unauthorised" }),
        ];
      })
      .toEqual([4, 1, 1]);
    const metrics = await scrape(ADMIN_TOKEN);
    const labels = [...metrics.values()].flat().flatMap((sample) => Object.keys(sample.labels));
    expect(labels).not.toContain("instance_id");
    expect(labels).not.toContain("user_id");
    expect(metrics.get("dumont_service_heartbeats_total")).toContainEqual({
      labels: { outcome: "refused", reason: "invalid" },
      value: expect.any(Number),
    });
  });

  it("count instances by status as a recount does", async () => {
    const user = await newUser();
    const rigs = await Promise.all(["a", "b", "c"].map((id) => Instance.register(user, id)));
    await rigs[0]?.heartbeat();
    await rigs[1]?.heartbeat();
    await rigs[1]?.until(DAY + 6 * MINUTE);
    await rigs[2]?.ask("DELETE");
    await Promise.all(rigs.slice(0, 2).map((one) => one.settled()));
    const counted = await recount();
    expect(counted.get("running")).toBeGreaterThan(0);
    expect(counted.get("orphaned")).toBeGreaterThan(0);
    await everyFleetReports();
    const metrics = await scrape(ADMIN_TOKEN);
    const shown = metrics.get("dumont_service_instances")?.filter(({ value }) => value > 0) ?? [];
    expect(new Map(shown.map(({ labels, value }) => [labels.status, value]))).toEqual(counted);
    expect(metrics.get("dumont_service_guard_closed")).toEqual([{ labels: {}, value: 0 }]);
    expect(metrics.get("dumont_service_simulation_speed")).toEqual([{ labels: {}, value: 1 }]);
    // An increase is seen only of what began at 0.
    expect(metrics.get("dumont_service_invariant_breaches_total")).toEqual([{ labels: {}, value: 0 }]);
  });

  it("are the operator's: an instance's token sees nothing, no token nothing", async () => {
    const one = await Instance.register(await newUser(), "rig");
    expect((await call("GET", "/metrics", { token: one.token })).status).toBe(403);
    expect((await call("GET", "/metrics")).status).toBe(401);
  });
});

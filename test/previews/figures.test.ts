import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY, newUser, setClock } from "../world.ts";
import { anInstance, ask } from "./past.ts";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
function resultOf(body: any, of: string) {
  return body.results.find((result: { of: string }) => result.of === of);
}

describe("the figures of a preview", () => {
  it("says what the candidate would have hibernated, and what work came then", async () => {
    const user = await newUser();
    await anInstance(user, "rig");
    const { body } = await ask(user, {
      policy: { idle: { warn_after_seconds: 600, hibernate_after_seconds: 1200 } },
    });
    const candidate = resultOf(body, "candidate");
    // In each quiet hour it is hibernated once, and woken for the work after it.
    expect(candidate.hibernations).toBeGreaterThan(30);
    expect(candidate.hibernations).toBeLessThan(37);
    expect(candidate.interruptions).toBeGreaterThan(30);
    expect(candidate.saved).toBeCloseTo(candidate.hours.hibernated, 1);
    expect(candidate.hours.hibernated).toBeGreaterThan(20);
    const careful = resultOf(body, "careful");
    expect(careful.hibernations).toBeLessThan(3);
    expect(body.interruptions[0]).toMatchObject({ instance_id: "rig", name: "rig" });
    expect(body.interruptions.length).toBeLessThanOrEqual(50);
    expect(body.basis.readings).toBeGreaterThan(4000);
    expect(body.proposal.frontier).toHaveLength(36);
    expect(body.proposal.message).toMatch(/\.$/);
    expect(body.by_instance[0].proposal.says).toEqual(body.proposal.says);
  });

  it("does not say that nobody was interrupted without saying of what only hours are known", async () => {
    const user = await newUser();
    await anInstance(user, "rig");
    const { body: known } = await ask(user, { policy: {} });
    expect(known.proposal.message).not.toMatch(/by the hour/);
    const dayAgo = DAY - 86_400_000;
    await env.DB.prepare("DELETE FROM heartbeat_chunks WHERE user_id = ? AND first_at < ?")
      .bind(user.userId, dayAgo - 86_400_000)
      .run();
    await env.DB.prepare(
      `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max, cpu_sum, cpu_heartbeats, quiet_heartbeats)
       VALUES (?, 'rig', ?, 60, 0, 60, 90, 0, 0, 50)`,
    )
      .bind(user.userId, dayAgo - 2 * 86_400_000)
      .run();
    const { body } = await ask(user, { policy: {} });
    expect(body.basis.coarse_hours).toBeGreaterThan(0);
    expect(body.proposal.message).toMatch(/only known by the hour/);
  });

  it("lets own overrides stand, or replaces those of the instances named", async () => {
    const user = await newUser();
    await anInstance(user, "rig", { policy: { idle: { enabled: false } } });
    const policy = { preset: "thrifty" };
    const stand = await ask(user, { policy, days: 2 });
    expect(resultOf(stand.body, "candidate").hibernations).toBe(0);
    const replaced = await ask(user, { policy, days: 2, instances: ["rig"], instance_policy: {} });
    expect(resultOf(replaced.body, "candidate").hibernations).toBeGreaterThan(10);
    expect(resultOf(replaced.body, "in_force").hibernations).toBe(0);
    expect(replaced.body.instance_policy).toEqual({});
  });
});

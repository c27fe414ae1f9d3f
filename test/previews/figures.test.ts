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

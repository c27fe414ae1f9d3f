import { describe, expect, it } from "vitest";
import type { Status } from "../../../src/lifecycle/model/phase.ts";
import { type Control, controlOf, withoutImpossible } from "../../../src/lifecycle/views/control.ts";
import type { Explanation } from "../../../src/lifecycle/views/explained-step.ts";
import type { Health } from "../../../src/lifecycle/views/health.ts";

type Provider = Parameters<typeof controlOf>[0]["provider"];

const of = (
  provider: Provider,
  status: Status,
  connection: Parameters<typeof controlOf>[1] = "active",
  health: Health = status === "orphaned" ? "unhealthy" : "healthy",
) => controlOf({ provider, status, health }, connection);

const said = (control: Control) =>
  [
    control.nobody_can_stop ? "nobody" : "somebody",
    control.can_hibernate ? "hibernate" : null,
    control.can_wake ? "wake" : null,
    control.why_not,
  ]
    .filter((word) => word !== null)
    .join(" ");

describe("who can stop a machine", () => {
  it.each<[string, Control, string]>([
    ["an agent that is heard", of("agent", "running"), "somebody hibernate"],
    ["an agent that was just registered", of("agent", "pending", "active", "inactive"), "somebody"],
    ["an agent that was never heard", of("agent", "pending", "active", "unhealthy"), "nobody silent"],
    ["an agent that fell silent", of("agent", "orphaned"), "nobody silent"],
    ["an agent that is told to hibernate", of("agent", "hibernating"), "somebody"],
    ["an agent that hibernated itself", of("agent", "hibernated"), "somebody silent"],
    ["nobody's, running", of("none", "running"), "nobody no_provider"],
    ["nobody's, just registered", of("none", "pending", "active", "inactive"), "nobody no_provider"],
    ["nobody's, deleted", of("none", "deleted"), "somebody"],
    ["a provider's, silent", of("vast", "orphaned"), "somebody hibernate"],
    ["a provider's, hibernated", of("vast", "hibernated"), "somebody wake"],
    ["a provider's, being deleted", of("vast", "deleting"), "somebody"],
    ["without its credentials", of("webhook", "running", "missing"), "nobody not_connected"],
    ["with refused ones", of("ec2", "running", "refused"), "nobody refused"],
    ["with refused ones, hibernated", of("ec2", "hibernated", "refused"), "somebody refused"],
    ["with refused ones, waking", of("ec2", "waking", "refused"), "nobody refused"],
    ["with refused ones, deleted", of("ec2", "deleted", "refused"), "somebody"],
  ])("%s", (_, control, expected) => {
    expect(said(control)).toBe(expected);
  });
});

describe("the next step", () => {
  const step = (next_step: Explanation["next_step"], blocked_by: Explanation["blocked_by"] = null) => ({
    next_step,
    at: "2025-12-19T00:05:00Z",
    in_seconds: 60,
    because: "No heartbeat",
    blocked_by,
  });
  const refused = of("ec2", "orphaned", "refused");

  it.each(["hibernate", "force_hibernate", "delete"] as const)(
    "%s has no time where nobody could carry it out",
    (next) => {
      const impossible = { ...step(next), at: null, in_seconds: null };
      expect(withoutImpossible(step(next), refused)).toEqual({ ...impossible, blocked_by: "no_provider" });
      expect(withoutImpossible(step(next, "guard"), refused)).toEqual({ ...impossible, blocked_by: "guard" });
      expect(withoutImpossible(step(next), of("ec2", "orphaned"))).toEqual(step(next));
    },
  );

  it.each(["warn", "orphan", "never_heard"] as const)("%s needs nobody", (next) => {
    expect(withoutImpossible(step(next), refused)).toEqual(step(next));
  });

  it("may be a deletion where a machine can't be stopped", () => {
    const cannotStop = { ...refused, why_not: "cannot_stop" } as const;
    expect(withoutImpossible(step("delete"), cannotStop)).toEqual(step("delete"));
    expect(withoutImpossible(step("hibernate"), cannotStop).at).toBeNull();
  });
});

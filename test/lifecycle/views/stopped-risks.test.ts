import { describe, expect, it } from "vitest";
import { comingBackOf } from "../../../src/lifecycle/model/coming-back.ts";
import { CALLED_PROVIDERS } from "../../../src/lifecycle/model/provider.ts";
import { onlyDeletes } from "../../../src/lifecycle/model/stopping.ts";
import { waysOnViews } from "../../../src/lifecycle/model/ways-on.ts";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { stoppedRisks } from "../../../src/lifecycle/views/stopped-risks.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 1 };

describe("what a stop risks", () => {
  it("is one sentence at each provider that says it, with what it still costs", () => {
    expect(stoppedRisks("vast@c-1", 0.0021).text).toBe(
      "Stopped at Vast.ai: its disks are still billed, at $0.0021 an hour; what is in memory is lost; its GPU may be taken by others, and then a start waits until it is free, or in vain; 48 hours after the end of its contract it is deleted with its data.",
    );
    expect(stoppedRisks("runpod", 0).text).toContain("it costs nothing");
    expect(stoppedRisks("ec2", null).text).toMatch(/its snapshots are still billed; .* a start fails\.$/);
    for (const kind of CALLED_PROVIDERS) {
      expect(stoppedRisks(kind, null).text).not.toMatch(/\$|undefined|not said|\.\./);
    }
  });

  it("is known of each provider that stops machines itself", () => {
    for (const kind of CALLED_PROVIDERS) {
      const isKnown = comingBackOf(kind).startWithoutGpu !== null;
      expect([kind, isKnown]).toEqual([kind, kind !== "webhook" && !onlyDeletes(kind)]);
    }
  });

  it("is unknown where nobody says it, and then neither nothing nor free", () => {
    for (const kind of ["agent", "none", "webhook"] as const) {
      expect(stoppedRisks(kind, null)).toMatchObject({
        text: expect.stringContaining("nobody says it here"),
        still_billed: ["not said"],
        hourly_cost: null,
        lost: ["not said"],
      });
    }
  });

  it("is nothing where a machine can only be deleted, which is said", () => {
    for (const kind of ["lambda", "digitalocean", "verda"] as const) {
      expect(stoppedRisks(kind, null)).toMatchObject({
        text: expect.stringContaining("billed until it is deleted"),
        still_billed: ["everything"],
      });
      expect(waysOnViews("rig", kind, null)).toEqual([]);
    }
  });

  it("is in the alerts that warn of a hibernation, and in the answer to a heartbeat is not", () => {
    const profile = { providerRef: "28864630", hibernatedHourlyCost: null };
    const idle = new Timeline({ provider: "vast", profile });
    idle.beatUntil(at("3:00"), IDLE);
    const warning = idle.events.find(({ kind }) => kind === "idle");
    expect(warning?.message).toMatch(
      /^GPU <5% utilization for 3min\. Hibernating in 2min\. Stopped at Vast\.ai: its disks are still billed;/,
    );
    expect(idle.view.alert).toBe("GPU <5% utilization for 3min. Hibernating in 2min.");
    const silent = new Timeline({ provider: "vast", profile });
    silent.heartbeat();
    silent.until(at("5:00"));
    expect(silent.events.at(-1)?.message).toMatch(
      /^Instance Rig may be stuck: no heartbeat for 5 minutes\. If it is not heard by 2025-12-19T00:30:00Z, it is hibernated\. Stopped at Vast\.ai/,
    );
  });

  it("and the alerts say nothing more where nobody knows it", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("5:00"));
    expect(line.events.at(-1)?.message).toBe("Instance Rig may be stuck: no heartbeat for 5 minutes");
  });
});

describe("what a hibernated instance costs", () => {
  const hibernated = (registered: number | null, hourlyCost: number | undefined) => {
    const line = new Timeline({ profile: { hibernatedHourlyCost: registered } });
    line.beatUntil(at("5:00"), IDLE);
    const { actionId } = line;
    line.command({
      type: "action.succeeded",
      actionId,
      snapshotId: null,
      confirmedBy: "webhook",
      hourlyCost,
    });
    return line;
  };

  it.each([
    [0.01, 0.02, 0.01, "registered"],
    [0, 0.02, 0, "registered"],
    [null, 0.02, 0.02, "provider"],
    [null, 0, 0, "provider"],
    [null, undefined, null, "unknown"],
  ] as const)("registered at %s, and by its provider's word at %s, is %s", (mine, its, cost, source) => {
    const { view } = hibernated(mine, its);
    expect(view).toMatchObject({
      status: "hibernated",
      hibernated_cost: cost,
      hibernated_cost_source: source,
      stopped_risks: { hourly_cost: cost },
    });
  });

  it("by its provider's word is its rate, and lessens what it saves", () => {
    const line = hibernated(null, 0.1);
    line.until(at("1:05:00"));
    expect(line.view).toMatchObject({ rate: 0.1, rate_source: "provider" });
    expect(savingsView(line.state, line.now).saved_total).toBeCloseTo(0.3);
    line.heartbeat();
    expect(savingsView(line.state, line.now).saved_total).toBeCloseTo(0.3);
    expect(hibernated(null, undefined).view).toMatchObject({ rate: null, rate_source: "unknown" });
  });

  it("is known for the next time too, but not of another machine", () => {
    const line = hibernated(null, 0.02);
    line.heartbeat();
    line.until(at("10:00")).heartbeat();
    expect(line.view).toMatchObject({ status: "running", hibernated_cost: 0.02 });
    line.command({ type: "changed", changes: { providerRef: "another" }, sighted: null });
    expect(line.view).toMatchObject({ hibernated_cost: null, hibernated_cost_source: "unknown" });
  });
});

describe("the ways on after a wake that failed", () => {
  it("are only those that are possible", () => {
    const ways = (provider: Parameters<typeof waysOnViews>[1], ref: string | null = null) =>
      waysOnViews("rig", provider, ref).map(({ way }) => way);
    expect(ways("vast", "1")).toEqual(["wait", "recreate", "fetch_data"]);
    expect(ways("tensordock", "a")).toEqual(["wait", "recreate"]);
    expect(ways("webhook")).toEqual(["wait"]);
    expect(ways("agent")).toEqual([]);
  });

  it("name the machine as the provider's own command line does", () => {
    const command = (provider: "gcp" | "azure", ref: string) =>
      comingBackOf(provider).recreate?.command?.(ref);
    expect(command("gcp", "projects/p-1/zones/us-central1-a/instances/t-1")).toBe(
      "gcloud compute machine-images create t-1-copy --project=p-1 --source-instance=t-1 --source-instance-zone=us-central1-a",
    );
    expect(command("azure", "my-group/my-vm")).toBe(
      "az vm resize --resource-group my-group --name my-vm --size SIZE",
    );
  });
});

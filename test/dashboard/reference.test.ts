import { describe, expect, it } from "vitest";
import {
  machineFields,
  machineOf,
  policyWithout,
  referenceOfMachine,
  snapshotAfterDays,
} from "../../src/dashboard/instance/machine.ts";
import {
  partNames,
  partsOf,
  referenceOf,
  suggestedId,
  withPart,
} from "../../src/dashboard/instance/reference.ts";
import { englishInstances } from "../../src/dashboard/words/english-instances.ts";
import { portugueseInstances } from "../../src/dashboard/words/portuguese-instances.ts";
import { policyIssues } from "../../src/lifecycle/model/policy-issues.ts";
import { DEFAULT_POLICY, mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { CALLED_PROVIDERS, type CalledProvider } from "../../src/lifecycle/model/provider.ts";
import { referenceIssue } from "../../src/lifecycle/model/reference.ts";
import { live } from "./live-view.ts";

const ID = "11111111-1111-4111-8111-111111111111";

const EXAMPLES: Record<CalledProvider, string> = {
  webhook: "rack-7/machine-1",
  vast: "28864630",
  runpod: "a1b2c3d4e5f6g7",
  ec2: "i-1234567890abcdef0",
  gcp: "projects/my-project/zones/us-central1-a/instances/trainer-1",
  azure: "my-group/my-vm",
  hyperstack: "12345",
  scaleway: `fr-par-2/${ID}`,
  tensordock: "a-1_b",
  lambda: "0920582c7ff041399e34823a0be62549",
  digitalocean: "3164444",
  verda: "11111111-1111-4111-8111-111111111111",
};

describe("a reference", () => {
  it.each(CALLED_PROVIDERS)("of %s is taken apart and put together, in the provider's form", (kind) => {
    const parts = partsOf(kind, EXAMPLES[kind]);
    expect(Object.keys(parts ?? {}).sort()).toEqual([...partNames(kind)].sort());
    expect(referenceOf(kind, parts ?? {})).toBe(EXAMPLES[kind]);
    expect(referenceIssue(kind, EXAMPLES[kind])).toBeNull();
    for (const { reference } of [englishInstances, portugueseInstances]) {
      expect(Object.keys(reference(kind).parts).sort()).toEqual([...partNames(kind)].sort());
    }
  });

  it("is empty while a part is", () => {
    expect(referenceOf("scaleway", { zone: "fr-par-2", id: " " })).toBe("");
    expect(referenceOf("gcp", {})).toBe("");
  });

  it("fills all parts when it is pasted into one, as the provider's pages write it too", () => {
    const path = "https://www.googleapis.com/compute/v1/projects/p-12345/zones/us-a/instances/rig?x=1";
    expect(withPart("gcp", { zone: "other" }, "zone", path)).toEqual({
      project: "p-12345",
      zone: "us-a",
      name: "rig",
    });
    const azure =
      "/subscriptions/s/resourceGroups/My-Group/providers/Microsoft.Compute/virtualMachines/My-VM";
    expect(referenceOf("azure", withPart("azure", {}, "name", azure))).toBe("my-group/my-vm");
    expect(withPart("scaleway", {}, "id", `FR-PAR-2/${ID}`)).toEqual({ zone: "FR-PAR-2", id: ID });
    expect(withPart("scaleway", { zone: "fr-par-1" }, "id", ID)).toEqual({ zone: "fr-par-1", id: ID });
    expect(withPart("webhook", {}, "id", "a/b")).toEqual({ id: "a/b" });
  });

  it("suggests an id", () => {
    expect(suggestedId(EXAMPLES.gcp)).toBe("trainer-1");
    expect(suggestedId("Máquina de José!")).toBe("Maquina-de-Jose");
    expect(suggestedId("--- ")).toBe("");
    expect(suggestedId("x".repeat(200))).toHaveLength(128);
  });
});

describe("the machine of an instance", () => {
  it("is what it watches, and is named in a request", () => {
    const view = live("rig", { provider: "scaleway", connection: "c-1", provider_ref: EXAMPLES.scaleway });
    const machine = machineOf(view);
    expect(machineFields(machine)).toEqual({
      provider: "scaleway",
      connection: "c-1",
      provider_ref: EXAMPLES.scaleway,
    });
    expect(machineFields(machineOf(live("rig")))).toEqual({
      provider: "agent",
      connection: null,
      provider_ref: null,
    });
    // One without a reference is known by its id; one of no known form stays as it is.
    expect(referenceOfMachine(machineOf(live("123", { provider: "vast", connection: "vast" })))).toBe("123");
    expect(machineOf(live("odd", { provider: "gcp", connection: "gcp" })).parts).toEqual({ id: "odd" });
  });

  it.each(CALLED_PROVIDERS)("of %s is registered without what its provider can't do", (kind) => {
    const days = snapshotAfterDays(kind, DEFAULT_POLICY);
    const isRefused = policyIssues(DEFAULT_POLICY, kind).length > 0;
    expect(days).toBe(isRefused ? 7 : null);
    for (const choice of ["never", "delete"] as const) {
      const merged = mergePolicy({}, { orphan: policyWithout(choice) });
      expect(policyIssues(merged, kind)).toEqual([]);
      expect(snapshotAfterDays(kind, merged)).toBeNull();
    }
  });
});

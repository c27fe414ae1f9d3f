import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  abilitiesOf,
  type ConnectedProvider,
  connectedBy,
  connectionOf,
  kindOf,
  type ProviderKind,
  providerDetail,
  providerKindSchema,
  referenceIssue,
} from "../../../src/lifecycle/model/provider.ts";

describe("a reference to a machine", () => {
  it.each([
    ["vast", "28864630"],
    ["runpod", "xedezhzb9la3ye"],
    ["ec2", "i-1234567890abcdef0"],
    ["ec2", "i-1a2b3c4d"],
    ["gcp", "projects/gpu-lab-1234/zones/us-central1-a/instances/trainer-1"],
    ["gcp", "projects/example.com:gpu-lab/zones/us-central1-ai1a/instances/t"],
    ["azure", "my-group/my-vm"],
    ["azure", `${"g".repeat(90)}/${"v".repeat(64)}`],
    ["azure", "_a.b-/1"],
    ["hyperstack", "94127"],
    ["scaleway", "fr-par-2/11111111-1111-4111-8111-111111111111"],
    ["tensordock", "550e8400-e29b-41d4-a716-446655440000"],
    ["lambda", "0920582c7ff041399e34823a0be62549"],
    ["digitalocean", "3164444"],
    ["verda", "123dd217-0d20-4a44-9f5a-0c8a6a0fbc22"],
    ["webhook", "projects/a/zones/b/instances/c-1"],
    ["agent", "rig.local:1"],
    ["none", "rig"],
  ] as const)("of %s may be %s", (kind, reference) => {
    expect(referenceIssue(kind, reference)).toBeNull();
  });

  it.each([
    ["vast", "rig"],
    ["vast", "28864630 "],
    ["vast", "28864630\n"],
    ["vast", "1/2"],
    ["runpod", "xedezhzb9la3ye/action"],
    ["runpod", "XEDEZ"],
    ["ec2", "i-12"],
    ["ec2", "i-1234567890ABCDEF0"],
    ["ec2", "ami-1234567890abcdef0"],
    ["gcp", "us-central1-a/trainer-1"],
    ["gcp", "trainer-1"],
    ["gcp", "zones/us-central1-a/instances/trainer-1"],
    [
      "gcp",
      "https://www.googleapis.com/compute/v1/projects/gpu-lab-1234/zones/us-central1-a/instances/trainer-1",
    ],
    ["gcp", "projects/123456789012/zones/us-central1-a/instances/trainer-1"],
    ["gcp", "projects/gpu-lab-1234/zones/us-central1-a/instances/4851516841423487011"],
    ["gcp", "projects/gpu-lab-1234/zones/us-central1-a/instances/trainer-1/stop"],
    ["gcp", "projects/gpu-lab-1234/zones/us-central1-a/instances/Trainer"],
    ["gcp", "projects/gpu-lab-1234/zones/us-central1-a/disks/trainer-1"],
    ["gcp", "projects/gpu-lab-1234/zones/../instances/trainer-1"],
    ["azure", "my-vm"],
    ["azure", "My-Group/my-vm"],
    ["azure", "my-group/My-VM"],
    ["azure", "my-group/my-vm/start"],
    ["azure", "my-group./my-vm"],
    ["azure", "my-group/my-vm."],
    ["azure", "my-group/_vm"],
    ["azure", `${"g".repeat(91)}/vm`],
    ["azure", `group/${"v".repeat(65)}`],
    ["azure", "my-group:1/my-vm"],
    ["hyperstack", "0"],
    ["hyperstack", "094127"],
    ["hyperstack", "94127/hibernate"],
    ["scaleway", "11111111-1111-4111-8111-111111111111"],
    ["scaleway", "fr-par-2/11111111-1111-4111-8111-11111111111A"],
    ["scaleway", "fr-par-2/11111111-1111-4111-8111-111111111111/action"],
    ["scaleway", "../11111111-1111-4111-8111-111111111111"],
    ["tensordock", "550e8400/stop"],
    ["tensordock", "a.b"],
    ["lambda", "0920582c/terminate"],
    ["lambda", "a_b"],
    ["lambda", "a".repeat(65)],
    ["digitalocean", "0"],
    ["digitalocean", "3164444/actions"],
    ["digitalocean", "1".repeat(16)],
    ["verda", "a/b"],
    ["verda", "a.b"],
    ["verda", "a".repeat(65)],
    ["webhook", ".."],
    ["webhook", "a/../b"],
    ["webhook", "/a"],
    ["webhook", "a//b"],
    ["webhook", "a/."],
    ["webhook", "a?b"],
    ["webhook", ""],
    ["agent", "a/.."],
    ["none", "x".repeat(201)],
  ] as const)("of %s can't be %j", (kind, reference) => {
    expect(referenceIssue(kind, reference)).toMatch(/^must /);
  });

  it("never leads out of the path that it is put into, whatever it is", () => {
    const pieces = fc.constantFrom("..", ".", "/", "%2e", "a", "7", "i-", "?", "#", "\\", "\n", "@", " ");
    fc.assert(
      fc.property(
        fc.constantFrom(...providerKindSchema.options),
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(pieces).map((parts) => parts.join("")),
        ),
        (kind, reference) => {
          if (referenceIssue(kind, reference) !== null) return;
          const { pathname, search, hash, host } = new URL(`https://api.example/v1/${reference}`);
          expect({ pathname, search, hash, host }).toEqual({
            pathname: `/v1/${reference}`,
            search: "",
            hash: "",
            host: "api.example",
          });
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("a provider of the kind", () => {
  it.each([
    ["agent", "by answer", false, false],
    ["none", "never", false, false],
    ["webhook", "by call", true, true],
    ["vast", "by call", true, false],
    ["runpod", "by call", true, false],
    ["ec2", "by call", true, true],
    ["gcp", "by call", true, true],
    ["azure", "by call", true, true],
    ["hyperstack", "by call", true, false],
    ["scaleway", "by call", true, true],
    ["tensordock", "by call", true, false],
    ["lambda", "never", true, false],
    ["digitalocean", "never", true, true],
    ["verda", "never", true, false],
  ] as const)(
    "%s hibernates %s; reaches silent instances: %s; takes snapshots: %s",
    (kind, how, reaches, snaps) => {
      expect(abilitiesOf(kind)).toMatchObject({ hibernates: how, reachesSilent: reaches, snapshots: snaps });
    },
  );

  it("that only a newer version knows can do nothing, whatever it is called", () => {
    for (const kind of ["nimbus", "toString", "__proto__", ""]) {
      // biome-ignore lint/suspicious/noExplicitAny: storage may hold what the type does not know
      expect(abilitiesOf(kind as any)).toEqual(abilitiesOf("none"));
    }
    expect(providerKindSchema.options).toEqual([
      "agent",
      "none",
      "webhook",
      "vast",
      "runpod",
      "ec2",
      "gcp",
      "azure",
      "hyperstack",
      "scaleway",
      "tensordock",
      "lambda",
      "digitalocean",
      "verda",
    ]);
  });

  it.each(["vast", "hyperstack", "digitalocean"] as const)(
    "is a number that is written in one way: a machine of %s has one reference, and one watcher",
    (kind) => {
      expect(referenceIssue(kind, "28864630")).toBeNull();
      expect(referenceIssue(kind, "028864630")).not.toBeNull();
      expect(referenceIssue(kind, "0")).not.toBeNull();
    },
  );

  it("says what a reference of its own looks like", () => {
    expect(referenceIssue("vast", "x1")).toBe("must be the number of a Vast.ai instance");
    expect(referenceIssue("vast", "1".repeat(18))).toBeNull();
    expect(referenceIssue("vast", "1".repeat(19))).toBe("must be the number of a Vast.ai instance");
    expect(referenceIssue("vast", "x1x")).not.toBeNull();
    expect(referenceIssue("runpod", "a-b")).toBe(
      "must be the id of a RunPod pod: lower-case letters and digits",
    );
    expect(referenceIssue("runpod", "a".repeat(64))).toBeNull();
    expect(referenceIssue("runpod", "a".repeat(65))).not.toBeNull();
    expect(referenceIssue("runpod", "A1")).not.toBeNull();
    expect(referenceIssue("runpod", "a1B")).not.toBeNull();
    expect(referenceIssue("ec2", "i-1")).toBe(
      "must be the id of an EC2 instance, such as i-1234567890abcdef0",
    );
    expect(referenceIssue("ec2", `i-${"a".repeat(17)}`)).toBeNull();
    expect(referenceIssue("ec2", `i-${"a".repeat(18)}`)).not.toBeNull();
    expect(referenceIssue("ec2", `i-${"a".repeat(7)}`)).not.toBeNull();
    expect(referenceIssue("ec2", `xi-${"a".repeat(8)}`)).not.toBeNull();
    expect(referenceIssue("gcp", "trainer-1")).toBe(
      "must be the path of a Compute Engine instance, such as projects/my-project/zones/us-central1-a/instances/trainer-1",
    );
    const named = (name: string) => `projects/gpu-lab-1234/zones/us-central1-a/instances/${name}`;
    expect(referenceIssue("gcp", named("a".repeat(63)))).toBeNull();
    for (const name of ["a".repeat(64), "a-", "-a", "1a"]) {
      expect(referenceIssue("gcp", named(name))).not.toBeNull();
    }
    expect(referenceIssue("azure", "my-vm")).toBe(
      "must be a resource group and a virtual machine, such as my-group/my-vm, in lower case",
    );
    expect(referenceIssue("hyperstack", "x1")).toBe("must be the number of a Hyperstack virtual machine");
    expect(referenceIssue("hyperstack", "1".repeat(15))).toBeNull();
    expect(referenceIssue("hyperstack", "1".repeat(16))).not.toBeNull();
    expect(referenceIssue("scaleway", "fr-par-2")).toBe(
      "must be the zone and the id of a Scaleway Instance, such as fr-par-2/11111111-1111-4111-8111-111111111111",
    );
    expect(referenceIssue("tensordock", "a:b")).toBe(
      "must be the id of a TensorDock instance: letters, digits, '_', '-'",
    );
    expect(referenceIssue("tensordock", "a".repeat(64))).toBeNull();
    expect(referenceIssue("tensordock", "a".repeat(65))).not.toBeNull();
    expect(referenceIssue("lambda", "a:b")).toBe(
      "must be the id of a Lambda Cloud instance, such as 0920582c7ff041399e34823a0be62549",
    );
    expect(referenceIssue("digitalocean", "x1")).toBe("must be the number of a DigitalOcean Droplet");
    expect(referenceIssue("verda", "a:b")).toBe("must be the id of a Verda instance: letters, digits, '-'");
    expect(referenceIssue("webhook", "")).toBe(
      "must be 1 to 200 of letters, digits, '.', '_', ':', '/', '-'",
    );
    expect(referenceIssue("webhook", "x".repeat(200))).toBeNull();
    expect(referenceIssue("webhook", " x")).toBe(
      "must be 1 to 200 of letters, digits, '.', '_', ':', '/', '-'",
    );
    for (const reference of ["a//b", "./a", "a/.."]) {
      expect(referenceIssue("webhook", reference)).toBe("must not have a segment that is empty, '.' or '..'");
    }
  });
});

describe("a provider by a connection", () => {
  it.each<[ConnectedProvider, ProviderKind, string | null]>([
    ["vast", "vast", "vast"],
    ["vast@c-1f2e", "vast", "c-1f2e"],
    ["webhook@eu", "webhook", "eu"],
    ["agent", "agent", null],
    ["none", "none", null],
  ])("%s is of the kind %s, and its connection is %j", (provider, kind, connection) => {
    expect([kindOf(provider), connectionOf(provider)]).toEqual([kind, connection]);
    expect(connectedBy(kind, connection)).toBe(provider);
    expect(abilitiesOf(provider)).toBe(abilitiesOf(kind));
  });

  it("is called by the first of its kind where none is named, and nobody is called by one", () => {
    expect(connectedBy("vast", null)).toBe("vast");
    expect(connectedBy("agent", "c-1f2e")).toBe("agent");
  });

  it("is named by events with its connection, but for the first of a kind", () => {
    expect(providerDetail("vast")).toEqual({ provider: "vast" });
    expect(providerDetail("agent")).toEqual({ provider: "agent" });
    expect(providerDetail("vast@c-1f2e")).toEqual({ provider: "vast", connection: "c-1f2e" });
  });

  it("of a kind that only a newer version knows can do nothing", () => {
    const unknown = "nimbus@c-1" as ConnectedProvider;
    expect([kindOf(unknown), abilitiesOf(unknown)]).toEqual(["none", abilitiesOf("none")]);
  });
});

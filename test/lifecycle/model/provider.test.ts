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
  ] as const)(
    "%s hibernates %s; reaches silent instances: %s; takes snapshots: %s",
    (kind, how, reaches, snaps) => {
      expect(abilitiesOf(kind)).toMatchObject({ hibernates: how, reachesSilent: reaches, snapshots: snaps });
    },
  );

  it("that only a newer version knows can do nothing, whatever it is called", () => {
    for (const kind of ["azure", "toString", "__proto__", ""]) {
      // biome-ignore lint/suspicious/noExplicitAny: storage may hold what the type does not know
      expect(abilitiesOf(kind as any)).toEqual(abilitiesOf("none"));
    }
    expect(providerKindSchema.options).toEqual(["agent", "none", "webhook", "vast", "runpod", "ec2"]);
  });

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
    const unknown = "lambda@c-1" as ConnectedProvider;
    expect([kindOf(unknown), abilitiesOf(unknown)]).toEqual(["none", abilitiesOf("none")]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { providerKindSchema, referenceIssue } from "../../../src/lifecycle/model/provider.ts";

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

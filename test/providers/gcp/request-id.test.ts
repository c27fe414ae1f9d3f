import { expect, it } from "vitest";
import { requestIdOf } from "../../../src/providers/gcp/request-id.ts";

const target = { ref: "machine-1", instanceId: "rig", actionId: "a-1" };

it("is a name-based UUID of URLs, as other libraries make it", async () => {
  // Python: uuid.uuid5(uuid.NAMESPACE_URL, 'dumont:["a-1","machine-1","stop"]')
  expect(await requestIdOf(target, "stop")).toBe("efb8c335-b05e-59ee-84b1-faa85a908e82");
});

it("is the same for the same action, machine and order, and for nothing else", async () => {
  const ids = await Promise.all([
    requestIdOf(target, "stop"),
    requestIdOf({ ...target, instanceId: "renamed" }, "stop"),
    requestIdOf(target, "start"),
    requestIdOf({ ...target, actionId: "a-2" }, "stop"),
    requestIdOf({ ...target, ref: "machine-2" }, "stop"),
  ]);
  expect(ids[1]).toBe(ids[0]);
  expect(new Set(ids).size).toBe(4);
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { instanceIdSchema } from "../../../src/api/instances/schemas.ts";
import { adoptionIds, adoptionName } from "../../../src/fleet/rules/adoption.ts";
import { JUST_SEEN, listedMachine } from "./machines.ts";

it("every reference has ids that an instance may have, and two references differ in the second one", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 300 }), (ref) => {
      for (const id of adoptionIds({ ref })) expect(instanceIdSchema.safeParse(id).success).toBe(true);
    }),
  );
  const path = (project: string) => ({ ref: `projects/${project}/zones/z/instances/trainer` });
  expect(adoptionIds({ ref: "28864630" })[0]).toBe("28864630");
  expect(adoptionIds(path("a"))[0]).toBe("trainer");
  expect(adoptionIds(path("a"))[1]).not.toBe(adoptionIds(path("b"))[1]);
});

it("a machine without a name is called by its GPUs and its reference", () => {
  const machine = { ...listedMachine("123", { gpu: "RTX 4090", gpus: 2 }), ...JUST_SEEN };
  expect(adoptionName(machine)).toBe("2 × RTX 4090 123");
  expect(adoptionName({ ...machine, gpu: null, gpus: null })).toBe("123");
  expect(adoptionName({ ...machine, name: " Rig " })).toBe("Rig");
});

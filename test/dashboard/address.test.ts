import { describe, expect, it } from "vitest";
import { instanceAddress, queryOf, routeOf, settingsAddress } from "../../src/dashboard/address.ts";

describe("an address", () => {
  it("of an instance names its id, whatever that holds, and its part", () => {
    for (const id of ["rig-1", "a/b?c#d", "50%", "ção"]) {
      expect(routeOf(instanceAddress(id))).toEqual({ page: "instance", instanceId: id, tab: "overview" });
      expect(routeOf(`${instanceAddress(id, "policy")}?from=1`)).toMatchObject({
        instanceId: id,
        tab: "policy",
      });
    }
  });

  it("that names no place well is the nearest one", () => {
    expect(routeOf("")).toEqual({ page: "fleet" });
    expect(routeOf("#/nowhere")).toEqual({ page: "fleet" });
    expect(routeOf("#/instances/%E0%A4%A")).toMatchObject({ instanceId: "%E0%A4%A" });
    expect(routeOf("#/instances/x/nothing")).toMatchObject({ tab: "overview" });
    expect(routeOf("#/settings/nothing")).toEqual({ page: "settings", section: "policy" });
    expect(routeOf(settingsAddress("access"))).toEqual({ page: "settings", section: "access" });
  });

  it("holds what its place shows", () => {
    expect(queryOf("#/?tag=a:b&tag=c:d").getAll("tag")).toEqual(["a:b", "c:d"]);
    expect(queryOf("#/costs").size).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { networkOf } from "../../src/http/network.ts";

describe("where a request comes from", () => {
  it("is one network, however many addresses somebody has in it", () => {
    for (const address of [
      "2001:db8:0:7::1",
      "2001:0DB8:0000:0007:ffff::",
      "2001:db8:0:7:1:2:3:4",
      "2001:db8::7:1:2:3:4",
    ]) {
      expect(networkOf(address), address).toBe("2001:db8:0:7::/64");
    }
    expect(networkOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(networkOf("::1")).toBe("0:0:0:0::/64");
    expect(networkOf("2001:db8:0:8::1")).not.toBe(networkOf("2001:db8:0:7::1"));
  });

  it("is the address itself where that is one of IPv4", () => {
    expect(networkOf("203.0.113.7")).toBe("203.0.113.7");
    expect(networkOf("::ffff:203.0.113.7")).toBe("::ffff:203.0.113.7");
    expect([networkOf(undefined), networkOf("")]).toEqual(["unknown", "unknown"]);
  });
});

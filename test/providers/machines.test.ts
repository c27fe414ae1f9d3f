import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { claimMachine, type MachineKey } from "../../src/providers/machines.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const MACHINE: MachineKey = { provider: "webhook", ref: "m-1" };

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

const claim = (userId: string, instanceId: string, machine = MACHINE) =>
  claimMachine(env, userId, machine, instanceId);

describe("a claim", () => {
  it("is held by one instance of a user, and known as its", async () => {
    const { userId } = await newUser();
    expect(await fleetOf(env, userId).holderOf(MACHINE)).toBeNull();
    expect(await claim(userId, "one")).toMatchObject({ claimed: true, isNew: true });
    expect(await claim(userId, "two")).toEqual({ claimed: false, holder: "one" });
    expect(await fleetOf(env, userId).holderOf(MACHINE)).toBe("one");
  });

  it("of several at the same time is one's", async () => {
    const { userId } = await newUser();
    const claims = await Promise.all(Array.from({ length: 8 }, (_, index) => claim(userId, `rig-${index}`)));
    expect(claims.filter(({ claimed }) => claimed)).toHaveLength(1);
  });

  it("is of one user, one provider and one reference", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    await claim(ada.userId, "one");
    expect(await claim(bob.userId, "two")).toMatchObject({ claimed: true });
    expect(await claim(ada.userId, "two", { provider: "ec2", ref: "m-1" })).toMatchObject({ claimed: true });
    expect(await claim(ada.userId, "two", { provider: "webhook", ref: "m-2" })).toMatchObject({
      claimed: true,
    });
  });

  it("that was claimed anew is not withdrawn by who claimed it first", async () => {
    const { userId } = await newUser();
    const first = await claim(userId, "one");
    const second = await claim(userId, "one");
    if (!first.claimed || !second.claimed) throw new Error("not claimed");
    expect([first.isNew, second.isNew]).toEqual([true, false]);
    await fleetOf(env, userId).withdrawClaim(MACHINE, "one", first.claimedAt);
    expect(await fleetOf(env, userId).holderOf(MACHINE)).toBe("one");
    await fleetOf(env, userId).withdrawClaim(MACHINE, "one", second.claimedAt);
    expect(await fleetOf(env, userId).holderOf(MACHINE)).toBeNull();
  });
});

describe("a claim that a crash left", () => {
  it("stands for a minute, and is then taken over by one", async () => {
    const { userId } = await newUser();
    await claim(userId, "crashed");
    setClock(DAY + MINUTE - 1);
    expect(await claim(userId, "next")).toEqual({ claimed: false, holder: "crashed" });
    setClock(DAY + MINUTE + 1);
    const claims = await Promise.all(Array.from({ length: 8 }, (_, index) => claim(userId, `rig-${index}`)));
    expect(claims.filter(({ claimed }) => claimed)).toHaveLength(1);
  });

  it("of a change that never came to its actor is taken over too", async () => {
    const user = await newUser();
    await Instance.register(user, "one");
    await claim(user.userId, "one");
    setClock(DAY + 2 * MINUTE);
    expect(await claim(user.userId, "two")).toMatchObject({ claimed: true });
  });

  it("goes on with the same instance at once", async () => {
    const { userId } = await newUser();
    await claim(userId, "crashed");
    expect(await claim(userId, "crashed")).toMatchObject({ claimed: true, isNew: false });
  });
});

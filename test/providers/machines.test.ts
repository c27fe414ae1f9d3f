import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { claimMachine, holderOf, type MachineKey, withdrawClaim } from "../../src/providers/machines.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const MACHINE: MachineKey = { provider: "webhook", ref: "m-1" };

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

const claim = (userId: string, instanceId: string, machine = MACHINE) =>
  claimMachine(env, userId, machine, instanceId, Date.now());

describe("a claim", () => {
  it("is held by one instance of a user, and known as its", async () => {
    const { userId } = await newUser();
    expect(await holderOf(env.DB, userId, MACHINE)).toBeNull();
    expect(await claim(userId, "one")).toMatchObject({ claimed: true, isNew: true });
    expect(await claim(userId, "two")).toEqual({ claimed: false, holder: "one" });
    expect(await holderOf(env.DB, userId, MACHINE)).toBe("one");
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
    await withdrawClaim(env.DB, userId, MACHINE, "one", first.claimedAt);
    expect(await holderOf(env.DB, userId, MACHINE)).toBe("one");
    await withdrawClaim(env.DB, userId, MACHINE, "one", second.claimedAt);
    expect(await holderOf(env.DB, userId, MACHINE)).toBeNull();
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

it("the machines of the instances that stand are claimed by the migration, of two by the later", async () => {
  const { userId } = await newUser();
  const rows: [id: string, provider: string, ref: string | null, status: string, at: number][] = [
    ["new", "vast", "1", "running", 3],
    ["old", "vast", "1", "orphaned", 1],
    ["1", "vast", null, "orphaned", 2],
    ["other", "runpod", "1", "running", 1],
    ["gone", "ec2", "i-1", "deleted", 1],
    ["agent", "agent", null, "running", 1],
    ["none", "none", "1", "running", 1],
  ];
  await env.DB.batch(
    rows.map(([id, provider, ref, status, at]) =>
      env.DB.prepare(
        `INSERT INTO instances (user_id, instance_id, name, provider, provider_ref, policy, status, registered_at, revision)
         VALUES (?, ?, '', ?, ?, '{}', ?, ?, 0)`,
      ).bind(userId, id, provider, ref, status, at),
    ),
  );
  const migration = env.TEST_MIGRATIONS.find(({ name }) => name === "0005_machines.sql");
  await env.DB.prepare(migration?.queries.at(-1) ?? "").run();
  const { results } = await env.DB.prepare(
    "SELECT provider, ref, instance_id FROM machines WHERE user_id = ? ORDER BY provider",
  )
    .bind(userId)
    .all();
  expect(results).toEqual([
    { provider: "runpod", ref: "1", instance_id: "other" },
    { provider: "vast", ref: "1", instance_id: "new" },
  ]);
});

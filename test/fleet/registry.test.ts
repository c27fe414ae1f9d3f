import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { upsertInstance } from "../../src/fleet/registry.ts";
import { readRow } from "../../src/instance/stored/row.ts";
import type { StoredInstance } from "../../src/instance/stored/stored-instance.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

function storedOf(one: Instance): Promise<StoredInstance> {
  return runInDurableObject(one.actor, (_, state) => {
    const loaded = readRow(state.storage.sql.exec<{ json: string }>("SELECT json FROM instance").one().json);
    if (loaded.kind !== "stored") throw new Error(loaded.kind);
    return loaded.stored;
  });
}

describe("the registry's row", () => {
  it("goes by the newest revision: an older one that arrives late changes nothing", async () => {
    const one = await Instance.register(await newUser(), "rig", { name: "Rig" });
    await one.heartbeat();
    await one.settled();
    const stored = await storedOf(one);
    const row = () =>
      env.DB.prepare("SELECT name, status, revision FROM instances WHERE user_id = ? AND instance_id = 'rig'")
        .bind(one.userId)
        .first<{ name: string; status: string; revision: number }>();
    const before = await row();
    if (before === null) throw new Error("no row");
    expect(before).toMatchObject({ name: "Rig", status: "running" });

    const write = (name: string, nextEffectId: number) => {
      const profile = { ...stored.state.profile, name };
      return upsertInstance(env.DB, {
        ...stored,
        state: { ...stored.state, profile, nextEffectId, phase: { status: "pending" } },
      }).run();
    };
    await write("Older", before.revision - 1);
    expect(await row()).toEqual(before);
    await write("Same", before.revision);
    expect(await row()).toEqual({ name: "Same", status: "pending", revision: before.revision });
    await write("Newer", before.revision + 1);
    expect(await row()).toEqual({ name: "Newer", status: "pending", revision: before.revision + 1 });
  });
});

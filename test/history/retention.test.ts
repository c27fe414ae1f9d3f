import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { DAY } from "../world.ts";
import { age } from "./age.ts";

const MINUTE = 60_000;
const PLACE = { userId: "ada", instanceId: "rig" };

type Peaks = { readonly gpu: number | null; readonly vram: number | null; readonly ram: number | null };

/** One heartbeat, `minute` minutes into the hour, in a chunk of its own. */
async function keep(minute: number, { gpu, vram, ram }: Peaks, more: readonly number[] = []): Promise<void> {
  const at = DAY + minute * MINUTE;
  const samples = [[at, gpu, vram, 50, ram, null, minute, null, null, ...more]];
  await env.DB.prepare(
    `INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
    .bind(PLACE.userId, PLACE.instanceId, at, minute, at, JSON.stringify(samples))
    .run();
}

const hour = () =>
  env.DB.prepare("SELECT * FROM heartbeat_hours WHERE user_id = ? AND instance_id = ?")
    .bind(PLACE.userId, PLACE.instanceId)
    .first();

beforeEach(async () => {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM heartbeat_chunks WHERE user_id = ?").bind(PLACE.userId),
    env.DB.prepare("DELETE FROM heartbeat_hours WHERE user_id = ?").bind(PLACE.userId),
  ]);
});

describe("an hour that is rolled up in two halves", () => {
  const high: Peaks = { gpu: 99, vram: 70, ram: 60 };
  const low: Peaks = { gpu: 10, vram: 7, ram: 6 };
  const unknown: Peaks = { gpu: null, vram: null, ram: null };

  it.each([
    ["in its first half", high, low],
    ["in its second half", low, high],
    ["before readings that are not known", high, unknown],
    ["after readings that are not known", unknown, high],
  ])("keeps its peaks %s", async (_, first, second) => {
    await keep(5, first);
    await age(DAY + 30 * MINUTE, 0);
    await keep(45, second);
    await age(DAY + 60 * MINUTE, 0);
    expect(await hour()).toMatchObject({
      heartbeats: 2,
      gpu_max: 99,
      vram_max: 70,
      ram_max: 60,
      cost_max: 45,
      cpu_sum: 100,
      cpu_heartbeats: 2,
    });
  });

  it("keeps what is not known as that", async () => {
    await keep(5, unknown);
    await age(DAY + 30 * MINUTE, 0);
    await keep(45, unknown);
    await age(DAY + 60 * MINUTE, 0);
    expect(await hour()).toMatchObject({ gpu_max: null, vram_max: null, ram_max: null, gpu_heartbeats: 0 });
  });

  it("keeps the highest that was told, where that was between two heartbeats", async () => {
    await keep(5, high, [100]);
    await keep(6, unknown, [1]);
    await age(DAY + 60 * MINUTE, 0);
    expect(await hour()).toMatchObject({ gpu_max: 100, gpu_sum: 99, gpu_heartbeats: 1 });
  });

  it("counts what a former release adds as work, and does not know how much work it rolled up", async () => {
    await keep(5, { ...low, gpu: 0 });
    await age(DAY + 30 * MINUTE, 0);
    expect(await hour()).toMatchObject({ heartbeats: 1, quiet_heartbeats: 1 });
    await env.DB.prepare("UPDATE heartbeat_hours SET heartbeats = 4 WHERE user_id = ?")
      .bind(PLACE.userId)
      .run();
    await keep(45, { ...low, gpu: 0 });
    await age(DAY + 60 * MINUTE, 0);
    expect(await hour()).toMatchObject({ heartbeats: 5, quiet_heartbeats: 2 });

    await env.DB.prepare("UPDATE heartbeat_hours SET quiet_heartbeats = NULL WHERE user_id = ?")
      .bind(PLACE.userId)
      .run();
    await keep(50, low);
    await age(DAY + 60 * MINUTE, 0);
    expect(await hour()).toMatchObject({ heartbeats: 6, quiet_heartbeats: null });
  });
});

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { appendChunk } from "../../src/history/append.ts";
import { readHours } from "../../src/history/hours.ts";
import { type Heartbeat, heartbeatFrom, heartbeatSchema } from "../../src/lifecycle/model/heartbeat.ts";
import {
  DEFAULT_SOURCES,
  SOURCE_KINDS,
  sourceKindOf,
  thresholdOfKind,
} from "../../src/lifecycle/model/source-settings.ts";
import { showsWork } from "../../src/replay/work.ts";
import { DAY } from "../world.ts";
import { age } from "./age.ts";
import { reports } from "./reports.ts";

const HOUR = 3_600_000;
const INSTANCE = "rig";

/** Whether the heartbeat itself tells that there is a GPU. */
function tellsOfGpu({ gpuPercent, use }: Heartbeat): boolean {
  return (
    gpuPercent !== null || (use?.gpuMaxPercent ?? null) !== null || (use?.unread.includes("gpu") ?? false)
  );
}

async function hourOf(userId: string) {
  const page = await readHours(env.DB, {
    userId,
    instanceId: INSTANCE,
    from: DAY,
    to: DAY + HOUR,
    limit: 10,
    before: null,
  });
  return page.entries[0];
}

it("an hour counts the heartbeats that show work, rolled up or not, as a replay does", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(reports, { minLength: 1, maxLength: 60 }), async (all) => {
      run += 1;
      const userId = `quiet-${run}`;
      const heartbeats = all.map((report, index) => heartbeatFrom(report, DAY + index, index + 1));
      const [first, ...others] = heartbeats;
      if (first === undefined) return;
      await appendChunk(env.DB, userId, INSTANCE, [first, ...others]).run();
      const work = heartbeats.filter((one) => showsWork(one, tellsOfGpu(one))).length;
      const peaks = heartbeats.flatMap((one) =>
        [one.gpuPercent, one.use?.gpuMaxPercent].filter((each) => each != null),
      );
      const expected = {
        heartbeats: all.length,
        work_heartbeats: work,
        max_gpu_utilization: peaks.length === 0 ? null : Math.max(...peaks),
      };
      expect(await hourOf(userId)).toMatchObject(expected);
      await age(DAY + HOUR, 0);
      expect(await hourOf(userId)).toMatchObject(expected);
    }),
    { numRuns: 60 },
  );
});

/** Just below each threshold, and at it, and nothing else that shows work. */
const AT_THRESHOLDS = [
  ...[...SOURCE_KINDS, "work_vllm", "script_x"].flatMap((name) => {
    const from = thresholdOfKind(sourceKindOf(name), DEFAULT_SOURCES) ?? 0;
    return [0.999 * from, from].map((value) => ({ gpu_utilization: 0, sources: [{ name, value }] }));
  }),
  ...[2.999, 3].flatMap((percent) => [
    { gpu_utilization: percent },
    { gpu_utilization_max: percent },
    { gpu_utilization: 0, gpu_utilization_max: percent },
    { gpu_utilization: percent, gpu_utilization_max: 0 },
  ]),
  ...[4.999, 5].flatMap((percent) => [
    { cpu_utilization: percent },
    { gpu_utilization: 0, cpu_utilization: percent },
  ]),
  {},
].map((report) => heartbeatSchema.parse(report));

it("each heartbeat for itself is counted so", async () => {
  const all = [...AT_THRESHOLDS, ...fc.sample(reports, 1500)];
  await env.DB.batch(
    all.map((report, index) =>
      appendChunk(env.DB, "each", INSTANCE, [heartbeatFrom(report, DAY + index * HOUR, 1)]),
    ),
  );
  await age(DAY + all.length * HOUR, 0);
  const { results } = await env.DB.prepare(
    "SELECT (hour - ?) / ? AS number, heartbeats - quiet_heartbeats AS work FROM heartbeat_hours WHERE user_id = 'each'",
  )
    .bind(DAY, HOUR)
    .all<{ number: number; work: number }>();
  const wrong = results.filter(({ number, work }) => {
    const report = all[number];
    if (report === undefined) return true;
    const heartbeat = heartbeatFrom(report, DAY, 1);
    return work !== Number(showsWork(heartbeat, tellsOfGpu(heartbeat)));
  });
  expect(wrong.map(({ number }) => all[number])).toEqual([]);
  expect(results.length).toBe(all.length);
});

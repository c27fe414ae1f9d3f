import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { request, type User } from "../../scripts/client.ts";
import { type Past, userWithPast } from "../e2e/past-week.ts";
import { ServerWorld } from "./world.ts";

/** Policies tried on the past of a fleet that is larger than a request replays, before a real server. */

const INSTANCES = 64;

const outcomeSchema = z.object({
  hours: z.record(z.string(), z.number()),
  saved: z.number(),
  hibernations: z.number(),
  interruptions: z.number(),
});

const previewSchema = z.object({
  id: z.string(),
  state: z.string(),
  instances: z.object({ total: z.number(), done: z.number(), skipped: z.number() }),
  results: z.array(outcomeSchema.extend({ of: z.string() })),
});

const linesSchema = z.object({
  instances: z.array(z.object({ instance_id: z.string(), candidate: outcomeSchema })),
  next_cursor: z.string().nullable(),
});

type Preview = z.infer<typeof previewSchema>;

let world: ServerWorld;
let ada: User;

/** Works for two hours, and is quiet for as many minutes as its number says, again and again. */
const pasts: readonly Past[] = Array.from({ length: INSTANCES }, (_, number) => ({
  instance_id: `rig-${String(number).padStart(2, "0")}`,
  name: `Rig ${number}`,
  tags: { team: number % 2 === 0 ? "vision" : "speech" },
  hourly_cost: 1,
  hibernated_hourly_cost: 0,
  gpuPercent: (minute: number) => (minute % (120 + number) < 120 ? 95 : 0),
}));

beforeAll(async () => {
  world = await ServerWorld.create();
  ada = await userWithPast(world, "u-ada", pasts);
});
afterAll(() => world?.end());

const ask = (method: string, path: string, json?: unknown) =>
  request(`${world.url}/api/agent/policy/preview${path}`, method, ada.token, json);

async function preview(
  policy: object,
  more: object = {},
): Promise<{ readonly seen: Preview[]; readonly done: Preview }> {
  const seen = [previewSchema.parse(await ask("POST", "", { policy, ...more }))];
  const id = seen[0]?.id;
  await vi.waitFor(
    async () => {
      const now = previewSchema.parse(await ask("GET", `/${id}`));
      seen.push(now);
      expect(now.state).not.toBe("running");
    },
    { timeout: 200_000, interval: 200 },
  );
  const done = seen.at(-1);
  if (done === undefined) throw new Error("no preview");
  return { seen, done };
}

function of(preview: Preview, name: string) {
  const result = preview.results.find((each) => each.of === name);
  if (result === undefined) throw new Error(`no result of ${name}`);
  return result;
}

describe("a preview of sixty-four instances", () => {
  it("grows until it is done, is listed, paged, and compared with another", async () => {
    const short = await preview({ idle: { warn_after_seconds: 180, hibernate_after_seconds: 300 } });
    expect(short.seen[0]).toMatchObject({ state: "running", instances: { total: INSTANCES, skipped: 0 } });
    expect(short.seen[0]?.instances.done).toBeLessThanOrEqual(10);
    expect(short.done).toMatchObject({
      state: "done",
      instances: { total: INSTANCES, done: INSTANCES, skipped: 0 },
    });
    const counts = short.seen.map(({ instances }) => instances.done);
    expect(counts).toEqual([...counts].sort((one, other) => one - other));

    const long = await preview({ idle: { warn_after_seconds: 1800, hibernate_after_seconds: 2700 } });
    const [shortly, later] = [of(short.done, "candidate"), of(long.done, "candidate")];
    expect(shortly.hibernations).toBeGreaterThan(later.hibernations);
    expect(shortly.interruptions).toBeGreaterThan(later.interruptions);
    expect(shortly.saved).toBeGreaterThan(later.saved);
    expect(later.saved).toBeGreaterThan(0);
    // All else does not depend on what is tried; it is of a week that begins and ends some seconds later.
    for (const same of ["actual", "in_force", "thrifty", "balanced", "careful"]) {
      const [one, other] = [of(short.done, same), of(long.done, same)];
      expect(one.saved).toBeCloseTo(other.saved, -1);
      expect(one.hours.hibernated).toBeCloseTo(Number(other.hours.hibernated), -1);
    }

    const list = z.object({ previews: z.array(previewSchema) }).parse(await ask("GET", ""));
    expect(list.previews.map(({ id }) => id)).toEqual([long.done.id, short.done.id]);
    expect(list.previews[0]?.results).toEqual(long.done.results);

    const lines: z.infer<typeof linesSchema>["instances"] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = linesSchema.parse(await ask("GET", `/${long.done.id}/instances?limit=25${query}`));
      lines.push(...page.instances);
      cursor = page.next_cursor;
    }
    expect(lines.map(({ instance_id }) => instance_id)).toEqual(pasts.map(({ instance_id }) => instance_id));
    // Only who is quiet for longer than three quarters of an hour is hibernated.
    expect(
      lines.filter(({ candidate }) => candidate.hibernations > 0).map(({ instance_id }) => instance_id),
    ).toEqual(pasts.slice(46).map(({ instance_id }) => instance_id));
    const sum = lines.reduce((saved, { candidate }) => saved + candidate.saved, 0);
    expect(sum).toBeCloseTo(later.saved, 1);
  });

  it("goes on after the server was killed", async () => {
    const begun = previewSchema.parse(await ask("POST", "", { policy: { preset: "careful" } }));
    expect(begun.state).toBe("running");
    await world.kill();
    await world.start();
    await vi.waitFor(
      async () => expect(previewSchema.parse(await ask("GET", `/${begun.id}`)).state).toBe("done"),
      { timeout: 200_000, interval: 500 },
    );
    expect(previewSchema.parse(await ask("GET", `/${begun.id}`)).instances).toEqual({
      total: INSTANCES,
      done: INSTANCES,
      skipped: 0,
    });
  });

  it("is of those with a tag", async () => {
    const { done } = await preview({ preset: "balanced" }, { tag: { team: "vision" }, days: 2 });
    expect(done.instances).toEqual({ total: INSTANCES / 2, done: INSTANCES / 2, skipped: 0 });
  });
});

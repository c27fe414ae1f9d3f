import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { toSample } from "../../src/history/sample.ts";
import type { StoryBasis } from "../../src/instance/story-basis.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { replayPage } from "../../src/previews/page.ts";
import { addCopies, reportOf } from "../fleet/fleets.ts";
import { DAY, newUser, setClock } from "../world.ts";
import { readingAt } from "./past.ts";

/** A preview of ten thousand instances, page by page: a real fleet, and instances and a database made up. */

const INSTANCES = 10_000;
const PAGE = 25;
const MINUTE = 60_000;
const HOURS = 2;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

/** Works for an hour, and is quiet for the next. */
const samples = JSON.stringify(
  Array.from({ length: HOURS * 60 }, (_, minute) =>
    toSample(readingAt({ from: DAY - HOURS * 60 * MINUTE, gpuAt: (at) => (at < 60 ? 90 : 0) }, minute)),
  ),
);

const BASIS: StoryBasis = {
  shard: 0,
  waiting: { heartbeats: [], events: [] },
  profile: {
    name: "",
    provider: "agent",
    providerRef: null,
    registeredAt: DAY - HOURS * 60 * MINUTE,
    hourlyCost: 1,
    hibernatedHourlyCost: 0,
  },
  hasGpu: true,
  userPolicy: {},
  overrides: { idle: { enabled: false } },
  suspended: false,
};

interface Asked {
  stories: number;
  atOnce: number;
  mostAtOnce: number;
}

/** Instances that all have the same past, and how many stories are begun at once. */
function madeUp(asked: Asked): Env {
  const getByName = (name: string) => ({
    storyBasis: async () => {
      asked.stories += 1;
      asked.atOnce += 1;
      asked.mostAtOnce = Math.max(asked.mostAtOnce, asked.atOnce);
      const number = Number(name.slice(-5));
      return { ...BASIS, profile: { ...BASIS.profile, name, tags: { team: `t${number % 3}` } } };
    },
  });
  const statement = (sql: string) => ({
    bind: () => statement(sql),
    all: async () => {
      if (!sql.includes("heartbeat_chunks")) return { results: [] };
      asked.atOnce -= 1;
      return { results: [{ first_at: DAY - HOURS * 60 * MINUTE, first_sequence: 0, samples }] };
    },
  });
  const database = { prepare: statement, batch: async () => [{ results: [] }, { results: [] }] };
  // To assign them would change the bindings of all files that come after.
  return Object.create(env, { INSTANCES: { value: { getByName } }, DB: { value: database } });
}

it("goes through ten thousand instances one at a time, and keeps what is bounded", async () => {
  const { userId } = await newUser();
  const fleet = fleetOf(env, userId);
  await fleet.report(reportOf("rig", { registeredAt: DAY - 60 * MINUTE * HOURS }));
  await addCopies(fleet, INSTANCES - 1);
  const request = {
    policy: { idle: { hibernate_after_seconds: 600 } },
    instancePolicy: null,
    days: 1,
    instances: null,
    tag: null,
    wantsProposal: false,
    requestId: "r-1",
  };
  const started = await fleet.startPreview(request, { from: DAY - 24 * 60 * MINUTE, to: DAY });
  if (started.outcome !== "started") throw new Error(started.outcome);
  const asked = { stories: 0, atOnce: 0, mostAtOnce: 0 };
  const world = madeUp(asked);
  let pages = 0;
  for (let isOver = false; !isOver; pages++) {
    const page = { instances: PAGE, budgetMs: 60_000, skipsUnreachable: false };
    ({ isOver } = await replayPage(world, userId, started.id, page));
  }
  expect(pages).toBe(INSTANCES / PAGE);
  expect(asked).toEqual({ stories: INSTANCES, atOnce: 0, mostAtOnce: 1 });
  const now = await fleet.preview(started.id, 20, 50);
  expect(now?.preview).toMatchObject({ state: "done", total: INSTANCES, done: INSTANCES, skipped: 0 });
  expect(now?.preview.sum.basis.readings).toBe(INSTANCES * HOURS * 60);
  expect(now?.preview.sum.interruptions.length).toBeLessThanOrEqual(50);
  const { most, sum } = await runInDurableObject(fleet, (_, { storage: { sql } }) =>
    sql
      .exec<{ most: number; sum: number }>(
        "SELECT (SELECT MAX(length(line)) FROM preview_lines) AS most, (SELECT length(sum) FROM previews) AS sum",
      )
      .one(),
  );
  expect(most).toBeLessThan(3000);
  expect(sum).toBeLessThan(50_000);
});

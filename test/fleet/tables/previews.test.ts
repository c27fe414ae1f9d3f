import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { eachCompared, type PreviewLine, type PreviewRequest } from "../../../src/fleet/rules/preview.ts";
import { PREVIEW_LINES_KEPT, Previews } from "../../../src/fleet/tables/previews.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { NOTHING } from "../../../src/replay/outcome.ts";
import { call, DAY, newUser, setClock } from "../../world.ts";
import { addCopies, reportOf } from "../fleets.ts";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

const REQUEST: PreviewRequest = {
  policy: {},
  inForce: {},
  instancePolicy: null,
  days: 7,
  instances: null,
  tag: null,
  wantsProposal: true,
  requestId: "r-1",
};

const POINT = {
  thresholdPercent: 5,
  hibernateAfterMinutes: 20,
  saved: 1,
  hibernatedMs: 3_600_000,
  hibernations: 1,
  interruptions: 0,
  delayedMs: 0,
  workCutMs: 0,
};

function lineOf(instanceId: string, more: Partial<PreviewLine> = {}): PreviewLine {
  return {
    instanceId,
    name: instanceId,
    tags: {},
    outcomes: eachCompared(() => ({ ...NOTHING, saved: 1 / 3, hibernations: 1 })),
    interruptions: [],
    basis: { readings: 10, coarseMs: 0, assumedIdleMs: 0, readingsWithoutUse: 0 },
    frontier: { points: [POINT], instances: 1, knownMs: 1 },
    proposal: null,
    ...more,
  };
}

/** Does something with the previews of a new user. */
async function withPreviews<T>(act: (previews: Previews, sql: SqlStorage) => T): Promise<T> {
  const { userId } = await newUser();
  const fleet = fleetOf(env, userId);
  await fleet.policy();
  return runInDurableObject(fleet, (_, { storage: { sql } }) => act(new Previews(sql), sql));
}

function add(previews: Previews, id: string, total = 3) {
  previews.add({ id, request: REQUEST, total, from: DAY - 1, to: DAY }, DAY);
}

function take(previews: Previews, id: string, ...lines: readonly PreviewLine[]) {
  const preview = previews.find(id);
  if (preview === null) throw new Error(`no preview ${id}`);
  previews.take(preview, { lines, skips: [], after: lines.at(-1)?.instanceId ?? "" }, DAY);
}

function never(): never {
  throw new Error("no preview");
}

describe("the table of previews", () => {
  it("adds each line once, whichever page brings it", async () => {
    await withPreviews((previews) => {
      add(previews, "p");
      take(previews, "p", lineOf("a"), lineOf("b"));
      take(previews, "p", lineOf("b"), lineOf("c"));
      take(previews, "p", lineOf("a"));
      const kept = previews.find("p");
      expect(kept).toMatchObject({ done: 3, skipped: 0, after: "c" });
      expect(kept?.sum.outcomes.candidate).toMatchObject({ hibernations: 3 });
      expect(kept?.sum.outcomes.candidate.saved).toBeCloseTo(1, 5);
      expect(kept?.sum.frontier).toMatchObject({ instances: 3, points: [{ saved: 3 }] });
      expect(previews.lines("p", "", 10).map(({ instanceId }) => instanceId)).toEqual(["a", "b", "c"]);
    });
  });

  it("shows those first for which the candidate changes most", async () => {
    await withPreviews((previews) => {
      add(previews, "p");
      const saving = (saved: number) => ({
        outcomes: eachCompared((of) => ({ ...NOTHING, saved: of === "candidate" ? saved : 5 })),
      });
      const lines = [
        lineOf("a", saving(5)),
        lineOf("b", saving(1)),
        lineOf("c", saving(8)),
        lineOf("d", saving(5)),
      ];
      take(previews, "p", ...lines);
      previews.take(
        previews.list()[0] ?? never(),
        { lines: [], skips: [{ instanceId: "e", because: "failed" }], after: "e" },
        DAY,
      );
      const ids = previews.mostChanged("p", 3).map(({ instanceId }) => instanceId);
      expect(ids).toEqual(["b", "c", "a"]);
    });
  });

  it("names the longest interruptions", async () => {
    await withPreviews((previews) => {
      add(previews, "p");
      const interruptions = Array.from({ length: 50 }, (_, number) => ({
        hibernatedAt: DAY,
        at: DAY + number,
        evidence: "GPU at 97%",
        delayedMs: 600_000,
        workCutMs: number,
      }));
      const doubled = interruptions.map((one) => ({ ...one, workCutMs: 2 * one.workCutMs }));
      take(previews, "p", lineOf("a", { interruptions }), lineOf("b", { interruptions: doubled }));
      const named = previews.find("p")?.sum.interruptions ?? [];
      expect(named).toHaveLength(50);
      expect(named[0]).toMatchObject({ instanceId: "b", workCutMs: 98 });
      expect(named.filter(({ instanceId }) => instanceId === "b").length).toBeGreaterThan(30);
    });
  });

  it("takes for the longest what cut the most work, as a replay does", async () => {
    await withPreviews((previews) => {
      add(previews, "p");
      const at = { hibernatedAt: DAY, at: DAY, evidence: "GPU at 97%" };
      const waits = { ...at, delayedMs: 7_200_000, workCutMs: 1000 };
      const cuts = { ...at, delayedMs: 600_000, workCutMs: 2000 };
      take(previews, "p", lineOf("a", { interruptions: [waits] }), lineOf("b", { interruptions: [cuts] }));
      const named = previews.find("p")?.sum.interruptions ?? [];
      expect(named.map(({ instanceId }) => instanceId)).toEqual(["b", "a"]);
    });
  });

  it("sums up by tag, of fifty tags at most", async () => {
    await withPreviews((previews) => {
      add(previews, "p");
      const lines = Array.from({ length: 60 }, (_, number) =>
        lineOf(`i${number}`, { tags: { team: "vision", number: String(number) } }),
      );
      take(previews, "p", ...lines);
      const tags = previews.tags("p");
      expect(tags).toHaveLength(50);
      expect(tags.find(({ tag }) => tag === "team:vision")?.frontier.instances).toBe(60);
    });
  });

  it("keeps so many lines of all together, and always the newest preview", async () => {
    await withPreviews((previews, sql) => {
      add(previews, "a", 60_000);
      take(previews, "a", lineOf("x"));
      add(previews, "b", 30_000);
      add(previews, "c", 10_000);
      expect(previews.list().map(({ id }) => id)).toEqual(["c", "b", "a"]);
      add(previews, "d", 1);
      expect(previews.list().map(({ id }) => id)).toEqual(["d", "c", "b"]);
      expect(sql.exec("SELECT * FROM preview_lines").toArray()).toEqual([]);
      add(previews, "e", PREVIEW_LINES_KEPT);
      expect(previews.list().map(({ id }) => id)).toEqual(["e"]);
    });
  });

  it("leaves out what a newer release has written and this one can't read", async () => {
    await withPreviews((previews, sql) => {
      add(previews, "a");
      add(previews, "b");
      take(previews, "b", lineOf("x"), lineOf("y"));
      sql.exec("UPDATE previews SET sum = '{}' WHERE id = 'a'");
      sql.exec(
        "UPDATE preview_lines SET line = json_set(line, '$.later', 1, '$.proposal', 7) WHERE instance_id = 'x'",
      );
      sql.exec("UPDATE preview_lines SET line = '{}' WHERE instance_id = 'y'");
      expect(previews.list().map(({ id }) => id)).toEqual(["b"]);
      expect(previews.find("a")).toBeNull();
      expect(previews.lines("b", "", 10)).toMatchObject([{ instanceId: "x", proposal: null }]);
    });
  });
});

it("a preview of more instances than are kept is refused", async () => {
  const { userId, token } = await newUser();
  const fleet = fleetOf(env, userId);
  await fleet.report(reportOf("rig"));
  await addCopies(fleet, PREVIEW_LINES_KEPT);
  const { status, body } = await call("POST", "/api/agent/policy/preview", { token, json: { policy: {} } });
  expect(status).toBe(409);
  expect(body.error).toMatchObject({
    code: "too_many",
    message: expect.stringContaining("100,000 instances"),
  });
});

import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { policyIssues } from "../../../src/lifecycle/model/policy-issues.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import type { CalledProvider } from "../../../src/lifecycle/model/provider.ts";
import { onlyDeletes, stopsSilent } from "../../../src/lifecycle/model/stopping.ts";
import { at, START, Timeline } from "../timeline.ts";

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const DELETE: PolicyOverrides = { orphan: { delete_while_running: true, snapshot_before_delete: false } };
const WHY = "lambda can only delete a machine, which is billed until then";

/** An instance of a provider that can only delete, heard once. */
function heardOnce(overrides: PolicyOverrides = {}, provider: CalledProvider = "lambda"): Timeline {
  const line = new Timeline({ provider, overrides });
  line.heartbeat();
  return line;
}

const questions = (line: Timeline) =>
  line.effects.filter(({ type }) => type === "action" || type === "guard");
const told = (line: Timeline, kind: string) => line.events.filter((event) => event.kind === kind);

it.each(["lambda", "digitalocean", "verda"] as const)("%s can only delete", (kind) => {
  expect([onlyDeletes(kind), stopsSilent(kind), onlyDeletes(`${kind}@c-1`)]).toEqual([true, false, true]);
});

it("others stop, or do nothing at all", () => {
  expect(["vast", "webhook", "agent", "none"].map((kind) => onlyDeletes(kind as "vast"))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect([stopsSilent("vast"), stopsSilent("agent"), stopsSilent("none")]).toEqual([true, false, false]);
});

describe("a silent machine whose provider can only delete", () => {
  it("is told of at each step, which says that nothing is stopped, and nothing is ordered", () => {
    const line = heardOnce().until(at("10:00"));
    expect(line.view).toMatchObject({
      status: "orphaned",
      lifecycle: { next_step: "hibernate", because: expect.stringContaining(WHY), blocked_by: "no_provider" },
    });
    line.until(at("30:00"));
    expect(told(line, "silent")).toMatchObject([
      {
        severity: "warning",
        message: `No heartbeat for 30 minutes. Nothing is stopped: ${WHY}. Delete it there if nobody needs it.`,
      },
    ]);
    line.until(at("2:00:00"));
    expect(told(line, "abandoned")).toMatchObject([
      { severity: "critical", message: expect.stringContaining(`Nothing is stopped: ${WHY}.`) },
    ]);
    line.until(START + 60 * DAY);
    expect(questions(line)).toEqual([]);
    expect(line.view.status).toBe("orphaned");
  });

  it("is not deleted without its owner's word: the clean-up tells of it, every four hours at most", () => {
    const line = heardOnce();
    const due = at("5:00") + 7 * DAY;
    line.until(due).command({ type: "cleanup" });
    line.until(due + HOUR).command({ type: "cleanup" });
    expect(told(line, "would_delete")).toMatchObject([
      {
        severity: "warning",
        message:
          "Would delete: orphaned for 7 days, but it may be working, since lambda could not hibernate it (orphan.delete_while_running)",
      },
    ]);
    expect(questions(line)).toEqual([]);
    expect(line.view.lifecycle).toMatchObject({
      next_step: null,
      at: null,
      because: expect.stringContaining(
        `${WHY}, and it is not deleted while it may be working (orphan.delete_while_running)`,
      ),
      blocked_by: "policy_disabled",
    });
  });

  it("is deleted by its owner's word, no sooner than any other, and once the guard permits", () => {
    const line = heardOnce(DELETE).until(at("2:00:00"));
    const due = at("5:00") + 7 * DAY;
    expect(told(line, "abandoned")[0]?.message).toContain("It will be deleted after 2025-12-26T00:05:00Z.");
    expect(line.view.lifecycle).toMatchObject({
      next_step: "delete",
      at: "2025-12-26T00:05:00Z",
      blocked_by: null,
    });
    line.until(due - 1).command({ type: "cleanup" });
    expect(questions(line)).toEqual([]);
    line.until(due).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["delete"]);
    line.permit();
    expect(line.orders).toEqual(["delete"]);
    expect(line.view.status).toBe("deleting");
    line.succeed();
    expect(line.view.status).toBe("deleted");
  });

  it("is not deleted if its owner takes the word back before the guard has answered", () => {
    const line = heardOnce(DELETE).until(at("5:00") + 7 * DAY);
    line.command({ type: "cleanup" });
    line.changePolicy({});
    line.permit();
    expect(line.orders).toEqual([]);
    expect(line.view.status).toBe("orphaned");
  });

  it("is not deleted if its owner takes the word back before its provider is told", () => {
    const line = heardOnce(DELETE).until(at("5:00") + 7 * DAY);
    line.command({ type: "cleanup" });
    line.permit();
    line.changePolicy({});
    expect(line.view.status).toBe("orphaned");
  });

  it("has its days counted from the word, if that comes when they are over", () => {
    const said = START + 30 * DAY;
    const line = heardOnce().until(said).changePolicy(DELETE);
    line.until(said + 7 * DAY - 1).command({ type: "cleanup" });
    expect(questions(line)).toEqual([]);
    line.until(said + 7 * DAY).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["delete"]);
  });

  it("recovers with a heartbeat as ever", () => {
    const line = heardOnce(DELETE).until(START + 3 * DAY);
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "running", health: "healthy" });
  });
});

describe("a machine whose provider can only delete", () => {
  it("that is idle is told of, and that nobody can hibernate it", () => {
    const line = new Timeline({ provider: "lambda" });
    line.beatUntil(at("5:30"), { gpu_utilization: 1 });
    expect(told(line, "idle")).toMatchObject([{ message: expect.stringContaining(WHY) }]);
    expect(told(line, "would_hibernate")).toMatchObject([
      { message: `Would hibernate for GPU <5% utilization for 5min: ${WHY}` },
    ]);
    expect(line.heartbeat({ gpu_utilization: 1 }).actions).toEqual([]);
    expect(questions(line)).toEqual([]);
  });

  it("that was never heard is told of, and never acted upon", () => {
    const line = new Timeline({ provider: "lambda", overrides: { orphan: { act_on_never_heard: true } } });
    line.until(at("30:00"));
    expect(told(line, "never_heard")).toMatchObject([
      { message: expect.stringContaining(`Nothing is done about it: ${WHY}.`) },
    ]);
    expect(line.view.lifecycle).toMatchObject({ next_step: null, at: null, blocked_by: "no_provider" });
    line.until(START + 60 * DAY).command({ type: "cleanup" });
    expect(questions(line)).toEqual([]);
  });

  it("is not hibernated at its owner's request, and the refusal says why", () => {
    const silent = heardOnce().until(at("10:00"));
    const pending = new Timeline({ provider: "lambda" });
    for (const line of [heardOnce(), silent, pending]) {
      expect(line.command({ type: "hibernate.requested" })).toEqual({
        code: "no_provider",
        message: `${WHY}: delete it where it is rented`,
      });
      expect(questions(line)).toEqual([]);
    }
  });

  it("does not count as hibernated because its agent says so: it is billed on", () => {
    const line = heardOnce();
    line.heartbeat({ gpu_utilization: 1, status: "hibernating" });
    expect(line.view.status).toBe("running");
    expect(questions(line)).toEqual([]);
    expect(line.until(at("6:00")).view.status).toBe("orphaned");
  });
});

describe("the policy of such a machine", () => {
  const issues = (overrides: PolicyOverrides, provider: CalledProvider) =>
    policyIssues(mergePolicy(overrides), provider).map(
      ({ path, message }) => `${path.join(".")}: ${message}`,
    );

  it("is sound as it comes: nothing is deleted by it", () => {
    for (const kind of ["lambda", "digitalocean", "verda"] as const) expect(issues({}, kind)).toEqual([]);
    expect(compilePolicy(mergePolicy({})).orphan.deleteWhileRunning).toBe(false);
  });

  it("that has it deleted says first whether that is to be without a snapshot, which not all can take", () => {
    const word = { orphan: { delete_while_running: true } };
    expect(issues(word, "lambda")).toEqual([
      "orphan.snapshot_before_delete: lambda cannot take snapshots: set this to false, or orphan.delete_while_running to false",
    ]);
    expect(issues(DELETE, "lambda")).toEqual([]);
    expect(issues(word, "digitalocean")).toEqual([]);
    expect(issues({ orphan: { ...word.orphan, delete_after_days: null } }, "lambda")).toEqual([]);
  });

  it("changes nothing for a provider that stops machines", () => {
    expect(issues({ orphan: { delete_while_running: true } }, "vast")).toEqual(issues({}, "vast"));
    expect(issues({}, "vast")).toHaveLength(1);
  });
});

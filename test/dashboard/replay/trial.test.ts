import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ApiError } from "../../../src/dashboard/api-error.ts";
import type { PolicyReplay } from "../../../src/dashboard/replay/answers.ts";
import type { TrialRequest } from "../../../src/dashboard/replay/request.ts";
import { type Asked, NOT_TRIED, Trial, type TrialState } from "../../../src/dashboard/replay/trial.ts";
import { preview } from "./example.ts";

/** How the page follows what is typed, before a service that answers when a test lets it. */

const after = (minutes: number): TrialRequest => ({
  policy: { idle: { hibernate_after_seconds: minutes * 60 } },
  days: 7,
});

class Service {
  readonly started: { request: TrialRequest; answer: (asked: Asked<PolicyReplay>) => void }[] = [];
  readonly reads: { id: string; signal: AbortSignal; answer: (asked: Asked<PolicyReplay>) => void }[] = [];
  readonly removed: string[] = [];
  state: TrialState = NOT_TRIED;
  isHidden = false;

  readonly trial = new Trial({
    start: (request) => new Promise((answer) => this.started.push({ request, answer })),
    read: (id, signal) => new Promise((answer) => this.reads.push({ id, signal, answer })),
    remove: async (id) => {
      this.removed.push(id);
    },
    show: (state) => {
      this.state = state;
    },
    isHidden: () => this.isHidden,
  });

  /** Answers what was asked for last. */
  async done(id: string, change: Partial<PolicyReplay> = {}): Promise<void> {
    this.started.at(-1)?.answer({ answer: preview({ id, ...change }) });
    await pass(0);
  }

  async refuse(status: number, retryAfterMs: number | null = null): Promise<void> {
    this.started.at(-1)?.answer({ error: error(status, retryAfterMs) });
    await pass(0);
  }
}

const error = (status: number, retryAfterMs: number | null = null): ApiError =>
  Object.assign(new Error("no"), { status, issues: [], code: "", retryAfterMs });

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const RUNNING = { state: "running", instances: { total: 60, done: 10, skipped: 0 } } as const;

let service: Service;

beforeEach(() => {
  vi.useFakeTimers();
  service = new Service();
});
afterEach(() => {
  service.trial.end();
  vi.useRealTimers();
});

it("asks once what is typed rests, and for the last of it only", async () => {
  for (const minutes of [1, 10, 100]) {
    service.trial.want(after(minutes));
    await pass(500);
  }
  expect(service.started).toEqual([]);
  expect(service.state.trying.is).toBe("waiting");
  await pass(300);
  expect(service.started.map(({ request }) => request)).toEqual([after(100)]);
  await service.done("a");
  expect(service.state).toMatchObject({ trying: { is: "at_rest" }, shown: { id: "a" }, of: "typed" });
});

it("says of what is shown that it is of former numbers, and takes it back where they are typed again", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.done("a");
  service.trial.want(after(20));
  expect(service.state).toMatchObject({ trying: { is: "waiting" }, shown: { id: "a" }, of: "before" });
  service.trial.want(after(10));
  expect(service.state).toMatchObject({ trying: { is: "at_rest" }, shown: { id: "a" }, of: "typed" });
  await pass(5000);
  expect(service.started.length).toBe(1);
});

it("asks for one at a time, and removes an answer that comes too late", async () => {
  service.trial.want(after(10));
  await pass(700);
  service.trial.want(after(20));
  await pass(5000);
  expect(service.started.length).toBe(1);
  await service.done("late");
  expect(service.removed).toEqual(["late"]);
  expect(service.state.shown).toBe(null);
  expect(service.started.map(({ request }) => request)).toEqual([after(10), after(20)]);
  await service.done("right");
  expect(service.state).toMatchObject({ shown: { id: "right" }, of: "typed" });
});

it("takes the answer that it waits for where the same is typed again meanwhile", async () => {
  service.trial.want(after(10));
  await pass(700);
  service.trial.want(after(20));
  service.trial.want(after(10));
  await service.done("a");
  await pass(5000);
  expect(service.state).toMatchObject({ trying: { is: "at_rest" }, shown: { id: "a" } });
  expect(service.started.length).toBe(1);
  expect(service.removed).toEqual([]);
});

it("removes what another try replaces, unless it was kept", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.done("passes");
  service.trial.want(after(20));
  await pass(700);
  expect(service.removed).toEqual([]);
  await service.done("stays");
  expect(service.removed).toEqual(["passes"]);
  service.trial.keep();
  expect(service.state.isKept).toBe(true);
  service.trial.want(after(30));
  await pass(700);
  await service.done("next");
  expect(service.removed).toEqual(["passes"]);
});

it("follows a large fleet until all of it is replayed, and not while nobody looks", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.done("a", RUNNING);
  expect(service.state.trying.is).toBe("running");
  service.isHidden = true;
  await pass(60_000);
  expect(service.reads).toEqual([]);
  service.isHidden = false;
  await pass(5000);
  expect(service.reads.map(({ id }) => id)).toEqual(["a"]);
  const grown = preview({ ...RUNNING, id: "a", instances: { total: 60, done: 35, skipped: 0 } });
  service.reads[0]?.answer({ answer: grown });
  await pass(6000);
  expect(service.state).toMatchObject({ trying: { is: "running" }, shown: { instances: { done: 35 } } });
  service.reads[1]?.answer({ answer: preview({ id: "a", state: "done" }) });
  await pass(60_000);
  expect(service.state).toMatchObject({ trying: { is: "at_rest" }, shown: { state: "done" } });
  expect(service.reads.length).toBe(2);
});

it("ends what is still being replayed, and hears no more of it, once something else is typed", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.done("a", RUNNING);
  await pass(1000);
  service.trial.want(after(20));
  expect(service.reads[0]?.signal.aborted).toBe(true);
  expect(service.removed).toEqual(["a"]);
  service.reads[0]?.answer({ answer: preview({ id: "a", state: "done" }) });
  await pass(700);
  expect(service.state).toMatchObject({ trying: { is: "asked" }, shown: { state: "running" }, of: "before" });
  // It is gone, so it is asked for anew.
  service.trial.want(after(10));
  await pass(700);
  await service.done("late");
  await service.done("b");
  expect(service.state).toMatchObject({ shown: { id: "b" }, of: "typed" });
  expect(service.removed).toEqual(["a", "late"]);
});

it("waits as long as it is told to where too much is replayed already, and not for ever", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.refuse(429, 8000);
  expect(service.state.trying.is).toBe("crowded");
  await pass(7900);
  expect(service.started.length).toBe(1);
  await pass(200);
  expect(service.started.length).toBe(2);
  for (let tries = 2; tries <= 13; tries++) {
    await service.refuse(503);
    await pass(5000);
  }
  expect(service.started.length).toBe(13);
  expect(service.state.trying).toMatchObject({ is: "failed", error: { status: 503 } });
  service.trial.tryNow(after(10));
  await pass(0);
  await service.done("a");
  expect(service.state).toMatchObject({ trying: { is: "at_rest" }, shown: { id: "a" } });
});

it("says what is not valid in what is typed, and tries what is typed next", async () => {
  service.trial.want(after(1));
  await pass(700);
  await service.refuse(400);
  expect(service.state.trying).toMatchObject({ is: "refused", error: { status: 400 } });
  service.trial.want(after(10));
  await pass(700);
  await service.done("a");
  expect(service.state.trying.is).toBe("at_rest");
});

it("goes on after an answer that did not come, and asks anew for a preview that is gone", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.done("a", RUNNING);
  await pass(5000);
  service.reads[0]?.answer({ error: error(0) });
  await pass(5000);
  expect(service.reads.length).toBe(2);
  service.reads[1]?.answer({ error: error(404) });
  await pass(0);
  expect(service.state).toMatchObject({ trying: { is: "failed" }, shown: null });
  service.trial.tryNow(after(10));
  await pass(0);
  expect(service.started.length).toBe(2);
});

it("shows one of the list, follows it, and leaves it where it is when something is typed", async () => {
  service.trial.want(after(10));
  await pass(700);
  await service.done("a");
  service.trial.open(preview({ ...RUNNING, id: "old" }));
  expect(service.state).toMatchObject({ trying: { is: "running" }, shown: { id: "old" }, of: "list" });
  await pass(5000);
  service.reads[0]?.answer({ answer: preview({ id: "old", state: "done" }) });
  await pass(0);
  service.trial.want(after(20));
  await pass(700);
  await service.done("b");
  expect(service.removed).toEqual(["a"]);
  service.trial.forget("a");
  expect(service.state.shown?.id).toBe("b");
  service.trial.forget("b");
  expect(service.state).toEqual(NOT_TRIED);
});

it("asks and shows nothing more once its place on the page is left", async () => {
  service.trial.want(after(10));
  await pass(700);
  service.trial.end();
  const { state } = service;
  await service.done("a", RUNNING);
  await pass(60_000);
  expect(service.state).toBe(state);
  expect(service.reads).toEqual([]);
  expect(service.removed).toEqual(["a"]);
});

it("removes what was not kept when the page is left, and when another is opened", async () => {
  service.trial.want(after(30));
  await pass(1000);
  await service.done("first");
  service.trial.open(preview({ id: "kept" }));
  expect(service.removed).toEqual(["first"]);
  service.trial.want(after(45));
  await pass(1000);
  await service.done("second");
  service.trial.end();
  expect(service.removed).toEqual(["first", "second"]);
});

it("keeps what is opened from the list, though it was not kept before", async () => {
  service.trial.want(after(30));
  await pass(1000);
  await service.done("first");
  service.trial.open(preview({ id: "first" }));
  service.trial.end();
  expect(service.removed).toEqual([]);
});

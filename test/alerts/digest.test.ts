import {
  evictDurableObject,
  introspectWorkflow,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { unreachable } from "../../src/alerts/channels/channel.ts";
import { waitAfter } from "../../src/alerts/delivery.ts";
import type { FleetActor } from "../../src/fleet/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { alertOf, armedAt, passAlarms, reportOf, rows, stateOf } from "../fleet/fleets.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const IDLE = { gpu_utilization: 1 };
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const SLACK = "https://hooks.example.com/services/T0/B0/x";

/** The clock is set far ahead in one go. */
mayLog(/waited for longer than they should/);

interface Post {
  readonly url: string;
  readonly text: string;
}

let posts: Post[];
let answer: (url: string) => Response;

beforeEach(() => {
  setClock(DAY);
  posts = [];
  answer = () => new Response("ok");
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = String(input);
    const reply = answer(url);
    if (reply.ok) posts.push({ url, text: JSON.stringify(JSON.parse(String(init?.body))) });
    return reply;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The deliveries that go on as workflows. `failing` is a step that fails twice before it succeeds. */
async function deliveries(options: { failing?: string } = {}) {
  const introspector = await introspectWorkflow(env.ALERT_DELIVERY);
  await introspector.modifyAll(async (each) => {
    await each.disableSleeps();
    await each.disableRetryDelays();
    if (options.failing !== undefined) {
      await each.mockStepError({ name: options.failing }, new Error("cut off"), 2);
    }
  });
  return introspector;
}

/** Lets the fleet's alarm fire whenever it is due within two minutes. */
async function passWindow(userId: string): Promise<void> {
  await passAlarms(fleetOf(env, userId), Date.now() + 2 * MINUTE);
}

async function addChannel(
  token: string,
  settings: Record<string, unknown> = { kind: "slack", url: SLACK },
  minimum_severity = "info",
): Promise<string> {
  const reply = await call("POST", "/api/agent/channels", {
    token,
    json: { name: "test", minimum_severity, settings },
  });
  expect(reply.status).toBe(201);
  return reply.body.id;
}

async function warned(): Promise<Instance> {
  const user = await newUser();
  await addChannel(user.token);
  return becomeIdle(user);
}

/** An instance that is idle for three minutes, of which its owner has heard once. */
async function becomeIdle(user: Awaited<ReturnType<typeof newUser>>): Promise<Instance> {
  const one = await Instance.register(user, "rig", { name: "The rig" });
  for (let minute = 0; minute <= 3; minute++) {
    await one.until(DAY + minute * MINUTE);
    await one.heartbeat(IDLE);
  }
  await one.settled();
  const now = Date.now();
  await passWindow(user.userId);
  await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
  setClock(now);
  return one;
}

/** The path of the link in the newest message. */
function linkOf(post: Post | undefined): string {
  return /(\/keep-alive\/[\w.-]+)/.exec(post?.text ?? "")?.[1] ?? "";
}

describe("a digest", () => {
  it("tells a channel what it wants to hear, and nothing that the owner did", async () => {
    await using _ = await deliveries();
    const one = await warned();
    expect(posts[0]?.text).toContain(
      "The rig: GPU <5% utilization for 3min. Hibernating in 2min.".replace("<", "<"),
    );
    await one.ask("PATCH", "", { name: "Renamed" });
    await one.settled();
    const events = await rows<{ kind: string; told: string | null }>(
      fleetOf(env, one.userId),
      "SELECT kind, told FROM events ORDER BY number",
    );
    expect(events.map((event) => event.kind)).toContain("changed");
    expect(events.filter(({ told }) => told !== null).map((event) => event.kind)).toEqual(["idle"]);
    expect(events.filter(({ told }) => told === "pending")).toEqual([]);
  });

  it("makes one message of what happens in its window", async () => {
    await using introspector = await deliveries();
    const user = await newUser();
    await addChannel(user.token);
    const rigs = await Promise.all(
      ["a", "b"].map((id) => Instance.register(user, id, { name: `Rig ${id}`, hourly_cost: 2 })),
    );
    // Two of four: no mass outage.
    const awake = await Promise.all(["c", "d"].map((id) => Instance.register(user, id)));
    for (const one of [...rigs, ...awake]) await one.heartbeat();
    for (const one of rigs) {
      setClock(DAY);
      await one.until(DAY + 5 * MINUTE);
      await one.settled();
    }
    const fleet = fleetOf(env, user.userId);
    await passAlarms(fleet, DAY + 5 * MINUTE + 29 * SECOND);
    expect(posts).toEqual([]);
    expect(await rows(fleet, "SELECT COUNT(*) AS n FROM events WHERE told = 'pending'")).toEqual([{ n: 2 }]);
    await passAlarms(fleet, DAY + 5 * MINUTE + 30 * SECOND);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
    expect(posts[0]?.text).toContain("2 instances orphaned, $4.00 an hour together");
    expect(posts[0]?.text).toContain("no heartbeat for 5 minutes\\n_It costs $2.00 an hour._");
    await passWindow(user.userId);
    expect(posts).toHaveLength(1);
    // The fleet has sent it itself.
    expect(await introspector.get()).toEqual([]);
  });

  it("tells once all the same after the step of a delivery has failed", async () => {
    await using _ = await deliveries({ failing: "send" });
    let refusals = 1;
    answer = () => (refusals-- > 0 ? new Response("", { status: 503 }) : new Response("ok"));
    await warned();
    expect(posts[0]?.text).toContain("The rig: GPU");
  });

  it("keeps to each channel's minimum, and one channel that fails takes no other with it", async () => {
    await using introspector = await deliveries();
    const user = await newUser();
    await addChannel(user.token, { kind: "slack", url: `${SLACK}/broken` }, "info");
    await addChannel(user.token, { kind: "slack", url: `${SLACK}/critical` }, "critical");
    await addChannel(user.token, { kind: "slack", url: `${SLACK}/warning` }, "warning");
    answer = (url) =>
      url.endsWith("/broken") ? new Response("no_service", { status: 404 }) : new Response("ok");
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.until(DAY + 6 * MINUTE);
    await one.settled();
    await passWindow(user.userId);
    await vi.waitFor(
      async () => {
        // The second says that the first channel did not take it.
        expect(posts.map((post) => post.url)).toEqual([`${SLACK}/warning`, `${SLACK}/warning`]);
        expect(posts[1]?.text).toContain(
          "could not be delivered to the channel test (slack): 404 no_service",
        );
        const { body } = await call("GET", "/api/agent/channels", { token: user.token });
        const last = body.channels.map((each: { last_delivery: unknown }) => each.last_delivery);
        expect(last).toContainEqual({ at: expect.any(String), delivered: false, detail: "404 no_service" });
        expect(last).toContainEqual({ at: expect.any(String), delivered: true, detail: "200 ok" });
        expect(last).toContain(null);
      },
      { timeout: 60_000 },
    );
    // What is refused for good ends there.
    expect(await introspector.get()).toEqual([]);
  });

  it("waits as Slack asks when it is told too often, and tells the message then, once", async () => {
    await using introspector = await deliveries();
    let refusals = 3;
    answer = () =>
      refusals-- > 0
        ? new Response("rate_limited", { status: 429, headers: { "Retry-After": "30" } })
        : new Response("ok");
    await warned();
    expect(refusals).toBe(-1);
    expect(posts).toHaveLength(1);
    expect(await introspector.get()).toHaveLength(1);
  });

  it("tells a critical alert at once and apart", async () => {
    await using _ = await deliveries();
    const user = await newUser();
    await addChannel(user.token);
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.until(DAY + 40 * MINUTE);
    await one.settled();
    await passWindow(user.userId);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
    await one.until(DAY + 120 * MINUTE);
    await one.settled();
    await passAlarms(fleetOf(env, user.userId), Date.now() + SECOND);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(2);
    expect(posts[1]?.text).toContain("abandoned");
    expect(posts[1]?.text).not.toContain("orphaned");
  });

  it("tells what turned critical within the same window together at its end, and nothing twice", async () => {
    await using _ = await deliveries();
    const user = await newUser();
    await addChannel(user.token, { kind: "slack", url: SLACK }, "critical");
    const fleet = fleetOf(env, user.userId);
    const happen = (id: string, message: string) =>
      fleet.report(reportOf(id, { events: [alertOf(id, { severity: "critical", message })] }));
    await happen("e-1", "The first");
    await passAlarms(fleet, DAY + SECOND);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
    await happen("e-2", "The second");
    setClock(DAY + 20 * SECOND);
    await happen("e-3", "The third");
    await passAlarms(fleet, DAY + 29 * SECOND);
    expect(posts).toHaveLength(1);
    await passAlarms(fleet, DAY + 2 * MINUTE);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(2);
    expect(posts[0]?.text).toContain("The first");
    expect(posts[0]?.text).not.toContain("The second");
    expect(posts[1]?.text).toContain("The second");
    expect(posts[1]?.text).toContain("The third");
    expect(posts[1]?.text).not.toContain("The first");
  });

  it("that can neither be sent nor handed to a workflow is tried again", async () => {
    await using _ = await deliveries();
    answer = () => new Response("", { status: 503 });
    const create = vi
      .spyOn(Object.getPrototypeOf(env.ALERT_DELIVERY), "create")
      .mockRejectedValue(new Error("workflows are down"));
    expectLogged(/neither be sent nor handed over/);
    const user = await newUser();
    await addChannel(user.token);
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.until(DAY + 5 * MINUTE);
    await one.settled();
    const fleet = fleetOf(env, user.userId);
    await passAlarms(fleet, DAY + 5 * MINUTE + 31 * SECOND);
    expect(create).toHaveBeenCalled();
    expect(posts).toEqual([]);
    create.mockRestore();
    answer = () => new Response("ok");
    await passAlarms(fleet, DAY + 7 * MINUTE);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
    expect(posts[0]?.text).toContain("may be stuck");
  });

  it("is not even started for a user without channels", async () => {
    await using introspector = await deliveries();
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.until(DAY + 6 * MINUTE);
    await one.settled();
    await passWindow(one.userId);
    expect(await introspector.get()).toEqual([]);
    expect((await stateOf(fleetOf(env, one.userId))).digest).toEqual({
      criticalAt: null,
      quietUntil: null,
      ordinary: null,
    });
  });

  it("of more than it can hold is followed by one that tells the rest", async () => {
    await using _ = await deliveries();
    const user = await newUser();
    await addChannel(user.token);
    const fleet = fleetOf(env, user.userId);
    const events = Array.from({ length: 2_500 }, (_, index) =>
      alertOf(`e-${index}`, { at: DAY + index, kind: "history_lost" }),
    );
    await fleet.report(reportOf("rig", { events }));
    await passWindow(user.userId);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(2);
    // Ten of each message are named, and the others counted.
    expect(posts[0]?.text).toContain("and 1990 more");
    expect(posts[1]?.text).toContain("and 490 more");
    expect(await rows(fleet, "SELECT COUNT(*) AS n FROM events WHERE told = 'pending'")).toEqual([{ n: 0 }]);
  });
});

describe("a digest is told once to each channel", () => {
  /** A user with two channels, whose fleet has one critical alert to tell. */
  async function waiting(): Promise<DurableObjectStub<FleetActor>> {
    const user = await newUser();
    await addChannel(user.token, { kind: "slack", url: `${SLACK}/1` });
    await addChannel(user.token, { kind: "slack", url: `${SLACK}/2` });
    const fleet = fleetOf(env, user.userId);
    await fleet.report(reportOf("rig", { events: [alertOf("e-1", { severity: "critical" })] }));
    return fleet;
  }

  const urls = () => posts.map(({ url }) => url).sort();

  async function toldOnceEach(): Promise<void> {
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(2);
    expect(urls()).toEqual([`${SLACK}/1`, `${SLACK}/2`]);
  }

  /** Where the alarm is cut off: before or after which statement, or workflow, and for the how many-th time. */
  const cuts: readonly (readonly [string, RegExp | "workflow", "before" | "after", number])[] = [
    ["before the alerts are taken", /^UPDATE events SET told/, "before", 1],
    ["after the alerts are taken", /^UPDATE events SET told/, "after", 1],
    ["after the first message is queued", /INTO deliveries/, "after", 1],
    ["before the digest is saved", /^INSERT INTO fleet /, "before", 1],
    ["before the first workflow is started", "workflow", "before", 1],
    ["after the first workflow is started", "workflow", "after", 1],
    ["before the second workflow is started", "workflow", "before", 2],
    ["after the second workflow is started", "workflow", "after", 2],
  ];

  /** Where it is cut off between a message that is out and its note: it goes out again, and says the same. */
  const cutsBeforeNotes: typeof cuts = [
    ["before the first message is noted", /^UPDATE channels/, "before", 1],
    ["before the first message is removed", /^DELETE FROM deliveries/, "before", 1],
    ["after the first message is removed", /^DELETE FROM deliveries/, "after", 1],
    ["before the second message is noted", /^UPDATE channels/, "before", 2],
    ["after the second message is removed", /^DELETE FROM deliveries/, "after", 2],
  ];

  const isCursor = (value: unknown): value is SqlStorageCursor<Record<string, SqlStorageValue>> =>
    typeof value === "object" && value !== null && "toArray" in value;

  it.each(cuts)("when its alarm is cut off %s", async (_, what, side, time) => {
    await using _deliveries = await deliveries();
    expectLogged(/failed|neither be sent/);
    const tried = new Set<string>();
    const firstFails = (url: string) => {
      const isFirst = !tried.has(url);
      tried.add(url);
      return isFirst ? new Response("", { status: 503 }) : new Response("ok");
    };
    // So that workflows are started.
    if (what === "workflow") answer = firstFails;
    const fleet = await waiting();
    await cutOff(fleet, what, side, time);
    await passAlarms(fleet, DAY + 5 * MINUTE);
    await expect.poll(() => new Set(urls()), { timeout: 60_000 }).toHaveProperty("size", 2);
    // Whoever is told by a workflow that was started before the cut may hear the same from the fleet.
    if (what !== "workflow") await toldOnceEach();
  });

  it.each(cutsBeforeNotes)(
    "or twice with the same words, when its alarm is cut off %s",
    async (_, ...cut) => {
      await using introspector = await deliveries();
      expectLogged(/failed|neither be sent/);
      const fleet = await waiting();
      await cutOff(fleet, ...cut);
      await passAlarms(fleet, DAY + 5 * MINUTE);
      expect(new Set(urls())).toEqual(new Set([`${SLACK}/1`, `${SLACK}/2`]));
      expect(posts.length).toBeGreaterThan(2);
      expect(posts.length).toBeLessThanOrEqual(4);
      expect(new Set(posts.map(({ text }) => text)).size).toBe(1);
      expect(await introspector.get()).toEqual([]);
    },
  );

  async function cutOff(
    fleet: DurableObjectStub<FleetActor>,
    what: RegExp | "workflow",
    side: "before" | "after",
    time: number,
  ): Promise<void> {
    let seen = 0;
    let isCut = false;
    const cut = () => {
      isCut = true;
      throw new Error("cut off");
    };
    const [prototype, method] =
      what === "workflow"
        ? [Object.getPrototypeOf(env.ALERT_DELIVERY), "create"]
        : [await runInDurableObject(fleet, (_, { storage }) => Object.getPrototypeOf(storage.sql)), "exec"];
    const original = prototype[method];
    const isIt = (values: unknown[]) => what === "workflow" || what.test(String(values[0]));
    vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...values: unknown[]) {
      // Nothing goes on after a cut, until the object is back.
      if (isCut) throw new Error("cut off");
      if (!isIt(values)) return Reflect.apply(original, this, values);
      seen += 1;
      if (seen === time && side === "before") cut();
      const result = Reflect.apply(original, this, values);
      if (seen < time) return result;
      // A statement that is thrown away half read would spoil its transaction.
      if (isCursor(result)) result.toArray();
      return cut();
    });
    await runDurableObjectAlarm(fleet);
    expect(isCut).toBe(true);
    vi.mocked(prototype[method]).mockRestore();
    await evictDurableObject(fleet);
    expect(await armedAt(fleet)).not.toBeNull();
  }

  it("when its alarm fires twice", async () => {
    await using introspector = await deliveries();
    const fleet = await waiting();
    await runInDurableObject(fleet, (actor) => Promise.all([actor.alarm(), actor.alarm()]));
    await passAlarms(fleet, DAY + 5 * MINUTE);
    await toldOnceEach();
    expect(await introspector.get()).toEqual([]);
  });

  it("when the report with its alert comes again", async () => {
    await using _ = await deliveries();
    const fleet = await waiting();
    const report = reportOf("rig", { events: [alertOf("e-1", { severity: "critical" })] });
    await fleet.report(report);
    await passAlarms(fleet, DAY + SECOND);
    await toldOnceEach();
    await fleet.report(report);
    await passAlarms(fleet, DAY + 5 * MINUTE);
    expect(posts).toHaveLength(2);
  });
});

describe("a channel", () => {
  /** A user with channels of these names, whose fleet has one critical alert to tell. */
  async function waiting(...names: string[]): Promise<{ userId: string; token: string }> {
    const user = await newUser();
    for (const name of names) await addChannel(user.token, { kind: "slack", url: `${SLACK}/${name}` });
    const events = [alertOf("e-1", { severity: "critical" })];
    await fleetOf(env, user.userId).report(reportOf("rig", { events }));
    return user;
  }

  it("that never answers holds up no other, and its message goes on as a workflow", async () => {
    await using introspector = await deliveries();
    const names = Array.from({ length: 9 }, (_, index) => String(index));
    const { userId } = await waiting(...names);
    const isDead = (url: string) => /[0-3]$/.test(url);
    let begun = performance.now();
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      const url = String(input);
      if (isDead(url))
        await new Promise((_, reject) =>
          init?.signal?.addEventListener("abort", () => reject(new Error("timed out"))),
        );
      posts.push({ url, text: `${performance.now() - begun}` });
      return new Response("ok");
    });
    begun = performance.now();
    await passAlarms(fleetOf(env, userId), Date.now() + SECOND);
    expect(posts.map(({ url }) => url)).toHaveLength(5);
    for (const { text } of posts) expect(Number(text)).toBeLessThan(10_000);
    expect(await introspector.get()).toHaveLength(4);
  });

  it("that fails for a while is shown as failing, and its workflow waits before it tries again", async () => {
    await using introspector = await introspectWorkflow(env.ALERT_DELIVERY);
    answer = () => new Response("rate_limited", { status: 429, headers: { "Retry-After": "30" } });
    const create = vi.spyOn(Object.getPrototypeOf(env.ALERT_DELIVERY), "create");
    const { userId, token } = await waiting("1");
    await passAlarms(fleetOf(env, userId), Date.now() + SECOND);
    answer = () => new Response("ok");
    expect(await introspector.get()).toHaveLength(1);
    expect(create).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ params: expect.objectContaining({ waitMs: 30 * SECOND }) }),
    );
    const { body } = await call("GET", "/api/agent/channels", { token });
    expect(body.channels[0].last_delivery).toMatchObject({ delivered: false, detail: "429 rate_limited" });
    expect(posts).toEqual([]);
  });

  it.each([
    [null, 0, 15],
    [null, 1, 30],
    [null, 7, 1920],
    [30, 0, 30],
    [0, 3, 1],
    [1e9, 0, 3600],
  ])("that asks for %s s after %i tries and one more is tried again after %i s", (asked, before, seconds) => {
    expect(waitAfter({ ...unreachable("away"), retryAfterSeconds: asked }, before)).toBe(seconds * SECOND);
  });

  it("that is removed meanwhile is told nothing", async () => {
    await using introspector = await deliveries();
    const user = await waiting("1", "2");
    const { body } = await call("GET", "/api/agent/channels", { token: user.token });
    const fleet = fleetOf(env, user.userId);
    await runInDurableObject(fleet, (actor, { storage: { sql } }) => {
      sql.exec(
        "INSERT INTO deliveries (id, channel_id, digest_id, notice) VALUES ('d-1', 'c-gone', 'digest-1', ?)",
        JSON.stringify(NOTICE),
      );
      return actor.channels();
    });
    expect(body.channels).toHaveLength(2);
    await passAlarms(fleet, Date.now() + SECOND);
    expect(posts).toHaveLength(2);
    expect(await rows(fleet, "SELECT id FROM deliveries")).toEqual([]);
    expect(await introspector.get()).toEqual([]);
  });
});

const NOTICE = { title: "It happened", severity: "critical", groups: [] };

describe("a delivery that can't be read", () => {
  it("is put aside, holds up no other, and is sent once it can be read", async () => {
    await using _ = await deliveries();
    const user = await newUser();
    const channel = await addChannel(user.token);
    const fleet = fleetOf(env, user.userId);
    const put = (id: string, notice: string) =>
      runInDurableObject(fleet, (_, { storage: { sql } }) => {
        sql.exec(
          "INSERT OR REPLACE INTO deliveries (id, channel_id, digest_id, notice) VALUES (?, ?, 'digest-1', ?)",
          id,
          channel,
          notice,
        );
      });
    await put("a-1", "no JSON");
    await put("a-2", JSON.stringify({ ...NOTICE, groups: "many" }));
    expectLogged(/a-1 can't be read/);
    expectLogged(/a-2 can't be read/);
    await fleet.report(reportOf("rig", { events: [alertOf("e-1", { severity: "critical" })] }));
    await passAlarms(fleet, Date.now() + MINUTE);
    expect(posts).toHaveLength(1);
    expect(await rows(fleet, "SELECT id FROM deliveries")).toEqual([{ id: "a-1" }, { id: "a-2" }]);
    await put("a-1", JSON.stringify(NOTICE));
    expectLogged(/a-2 can't be read/);
    await passAlarms(fleet, Date.now() + 24 * 60 * MINUTE);
    expect(posts.map(({ text }) => text).at(-1)).toContain("It happened");
    // After more than a week it is given up, with an event.
    await passAlarms(fleet, Date.now() + 9 * 24 * 60 * MINUTE);
    expect(await rows(fleet, "SELECT id FROM deliveries")).toEqual([]);
    expect(await rows(fleet, "SELECT id FROM events WHERE kind = 'alert_not_delivered'")).toEqual([
      { id: "given-up-a-2" },
    ]);
  });
});

it("a digest that the former version began is finished", async () => {
  await using introspector = await introspectWorkflow(env.ALERT_DIGEST);
  await introspector.modifyAll((each) => each.disableSleeps());
  const user = await newUser();
  await addChannel(user.token);
  await env.DB.prepare(
    `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
     VALUES (?, ?, 'rig', 'e-1', 'delete_failed', 'critical', 'The first', '{}', 'pending')`,
  )
    .bind(user.userId, DAY)
    .run();
  await env.ALERT_DIGEST.create({ params: { userId: user.userId, urgency: "critical" } });
  await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
  expect(posts[0]?.text).toContain("The first");
});

describe("the link of a warning", () => {
  it("does nothing when it is opened, keeps alive by its button, and works once", async () => {
    await using _ = await deliveries();
    const one = await warned();
    const link = linkOf(posts[0]);
    const opened = await call("GET", link);
    expect(opened.status).toBe(200);
    expect(opened.body).toContain("Keep The rig alive?");
    expect(opened.body).toMatch(/<button name="hours" value="1"/);
    expect(opened.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(opened.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect((await one.ask("GET")).body.keep_alive_until).toBeNull();

    const used = await call("POST", link);
    expect(used.status).toBe(200);
    expect(used.body).toContain("kept alive until");
    expect((await one.ask("GET")).body.keep_alive_until).toBe("2030-01-07T01:03:00Z");
    const again = await call("POST", link);
    expect(again.status).toBe(410);
    expect(again.body).toContain("It works once");
  });

  it("keeps alive for as long as its reader chooses among what it offers", async () => {
    await using _ = await deliveries();
    const one = await warned();
    const link = linkOf(posts[0]);
    for (const body of ["hours=2", "hours=-1", "hours=1&hibernate=now", "hibernate=yes", "hours="]) {
      expect((await call("POST", link, { raw: body, headers: FORM })).status, body).toBe(409);
    }
    expect((await call("POST", link, { raw: "x".repeat(2000), headers: FORM })).status).toBe(413);
    expect((await one.ask("GET")).body.keep_alive_until).toBeNull();
    expect((await call("POST", link, { raw: "hours=4", headers: FORM })).status).toBe(200);
    expect((await one.ask("GET")).body.keep_alive_until).toBe("2030-01-07T04:03:00Z");
    expect((await call("POST", link, { raw: "hours=24", headers: FORM })).status).toBe(410);
  });

  it("hibernates at once, if that is its reader's choice, and then keeps nothing alive", async () => {
    await using _ = await deliveries();
    const one = await warned();
    const link = linkOf(posts[0]);
    const answer = await call("POST", link, { raw: "hibernate=now", headers: FORM });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("It is being hibernated");
    expect((await one.ask("GET")).body.status).toBe("hibernating");
    expect((await call("POST", link, { raw: "hours=1", headers: FORM })).status).toBe(410);
    expect((await one.ask("GET")).body.keep_alive_until).toBeNull();
  });

  it("speaks its reader's language, says what it costs, and counts down to what comes next", async () => {
    await using _ = await deliveries();
    const one = await warned();
    await one.ask("PATCH", "", { hourly_cost: 0.4 });
    const link = linkOf(posts[0]);
    const portuguese = await call("GET", link, { headers: { "Accept-Language": "pt-BR,pt;q=0.9" } });
    expect(portuguese.body).toContain('<html lang="pt-BR">');
    expect(portuguese.body).toContain("Manter The rig ativa?");
    expect(portuguese.body).toContain("por hora");
    const english = await call("GET", link);
    expect(english.body).toMatch(/Costs<\/dt><dd>\$[0-9.]+ an hour/);
    expect(english.body).toContain('data-until="2030-01-07T00:05:00Z"');
  });

  it("is over an hour after its step, and for any token that is not such a link", async () => {
    await using _ = await deliveries();
    const one = await warned();
    const link = linkOf(posts[0]);
    setClock(DAY + 5 * MINUTE + 60 * MINUTE - 1000);
    expect((await call("GET", link)).status).toBe(200);
    setClock(DAY + 5 * MINUTE + 60 * MINUTE + 1000);
    expect((await call("GET", link)).status).toBe(410);
    expect((await call("POST", link)).status).toBe(410);
    for (const token of [one.token, one.userToken, "x", `${link.slice(12)}x`]) {
      expect((await call("POST", `/keep-alive/${token}`)).status).toBe(410);
    }
    expect(
      (await call("GET", "/api/agent/instances", { token: link.slice("/keep-alive/".length) })).status,
    ).toBe(401);
  });

  it("outlives its instance's token, and not the instance, nor is it good for one that takes the id later", async () => {
    await using _ = await deliveries();
    const one = await warned();
    const link = linkOf(posts[0]);
    expect((await one.ask("POST", "/token")).status).toBe(200);
    expect((await call("POST", link)).status).toBe(200);
    await one.ask("DELETE");
    expect((await call("POST", link)).status).toBe(410);
    setClock(DAY + 10 * MINUTE);
    const next = await Instance.register({ userId: one.userId, token: one.userToken }, "rig");
    await next.heartbeat();
    expect((await call("GET", link)).status).toBe(410);
    expect((await call("POST", link)).status).toBe(410);
    expect((await next.ask("GET")).body.keep_alive_until).toBeNull();
  });

  it("shows a name as text, whatever it holds", async () => {
    await using _ = await deliveries();
    const one = await warned();
    await one.ask("PATCH", "", { name: "<img src=x onerror=alert(1)>" });
    const opened = await call("GET", linkOf(posts[0]));
    expect(opened.body).not.toContain("<img src=x");
    expect(opened.body).toContain("&lt;img");
  });
});

describe("what a newer version stored", () => {
  it("is told by the name of its kind, and a channel that is not known takes no other with it", async () => {
    await using _ = await deliveries();
    const user = await newUser();
    await addChannel(user.token);
    const strange = await addChannel(user.token, { kind: "slack", url: `${SLACK}/2` });
    const bad = await addChannel(user.token, { kind: "slack", url: `${SLACK}/3` });
    await runInDurableObject(fleetOf(env, user.userId), (_, { storage: { sql } }) => {
      sql.exec("UPDATE channels SET kind = 'pager', minimum_severity = 'odd' WHERE id = ?", strange);
      sql.exec("UPDATE channels SET last_delivery = 'no JSON' WHERE id = ?", bad);
      sql.exec(
        `INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail, told)
         VALUES (999999, ?, 'rig', 'e-1', 'moved_away', 'odd', 'It moved', 'no JSON', 'pending')`,
        DAY,
      );
    });
    const listed = await call("GET", "/api/agent/channels", { token: user.token });
    expect(listed.status).toBe(200);
    expect(listed.body.channels).toHaveLength(3);
    const one = await Instance.register(user, "rig", { name: "The rig" });
    for (let minute = 0; minute <= 3; minute++) {
      await one.until(DAY + minute * MINUTE);
      await one.heartbeat(IDLE);
    }
    await one.settled();
    await passWindow(user.userId);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(3);
    for (const { text } of posts) expect(text).toContain("moved away");
  });
});

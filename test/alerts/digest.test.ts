import { introspectWorkflow } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startDigests } from "../../src/alerts/start.ts";
import { expectLogged } from "../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const IDLE = { gpu_utilization: 1 };
const SLACK = "https://hooks.example.com/services/T0/B0/x";

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

/** `failing` is a step that fails twice before it succeeds. */
async function digests(options: { waiting?: boolean; failing?: string } = {}) {
  const introspector = await introspectWorkflow(env.ALERT_DIGEST);
  await introspector.modifyAll(async (each) => {
    if (options.waiting !== true) await each.disableSleeps();
    await each.disableRetryDelays();
    if (options.failing !== undefined) {
      await each.mockStepError({ name: options.failing }, new Error("cut off"), 2);
    }
  });
  return introspector;
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
  await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
  return one;
}

/** The path of the link in the newest message. */
function linkOf(post: Post | undefined): string {
  return /(\/keep-alive\/[\w.-]+)/.exec(post?.text ?? "")?.[1] ?? "";
}

describe("a digest", () => {
  it("tells a channel what it wants to hear, and nothing that the owner did", async () => {
    await using _ = await digests();
    const one = await warned();
    expect(posts[0]?.text).toContain(
      "The rig: GPU <5% utilization for 3min. Hibernating in 2min.".replace("<", "<"),
    );
    await one.ask("PATCH", "", { name: "Renamed" });
    await one.settled();
    const { results } = await env.DB.prepare(
      "SELECT kind, notice FROM events WHERE user_id = ? ORDER BY at, id",
    )
      .bind(one.userId)
      .all<{ kind: string; notice: string | null }>();
    expect(results.filter((row) => row.notice !== null).map((row) => row.kind)).toEqual(["idle"]);
    expect(results.filter((row) => row.notice === "pending")).toEqual([]);
  });

  it("makes one message of what happens in its window", async () => {
    const user = await newUser();
    await addChannel(user.token);
    const rigs = await Promise.all(
      ["a", "b"].map((id) => Instance.register(user, id, { name: `Rig ${id}` })),
    );
    // Two of four: no mass outage.
    const awake = await Promise.all(["c", "d"].map((id) => Instance.register(user, id)));
    for (const one of [...rigs, ...awake]) await one.heartbeat();
    await using introspector = await digests({ waiting: true });
    for (const one of rigs) {
      setClock(DAY);
      await one.until(DAY + 5 * MINUTE);
      await one.settled();
    }
    const [digest, ...more] = await introspector.get();
    expect(more).toEqual([]);
    expect(posts).toEqual([]);
    const pending = await env.DB.prepare(
      "SELECT COUNT(*) AS n FROM events WHERE user_id = ? AND notice = 'pending'",
    )
      .bind(user.userId)
      .first<{ n: number }>();
    expect(pending?.n).toBe(2);
    expect(digest).toBeDefined();
  });

  it.each(["look whether more comes 1", "take alerts", "compose", "channels", "send to"])(
    "tells once all the same after the step '%s' has failed",
    async (step) => {
      const user = await newUser();
      const channelId = await addChannel(user.token);
      await using _ = await digests({ failing: step === "send to" ? `send to ${channelId}` : step });
      await becomeIdle(user);
      expect(posts[0]?.text).toContain("The rig: GPU");
    },
  );

  it("keeps to each channel's minimum, and one channel that fails takes no other with it", async () => {
    await using _ = await digests();
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
    await expect.poll(() => posts.map((post) => post.url), { timeout: 60_000 }).toEqual([`${SLACK}/warning`]);
    const { body } = await call("GET", "/api/agent/channels", { token: user.token });
    const deliveries = body.channels.map((each: { last_delivery: unknown }) => each.last_delivery);
    expect(deliveries).toContainEqual({
      at: expect.any(String),
      delivered: false,
      detail: "404 no_service",
    });
    expect(deliveries).toContainEqual({ at: expect.any(String), delivered: true, detail: "200 ok" });
    expect(deliveries).toContain(null);
  });

  it("waits as Slack asks when it is told too often, and tells the message then, once", async () => {
    await using _ = await digests();
    let refusals = 3;
    answer = () =>
      refusals-- > 0
        ? new Response("rate_limited", { status: 429, headers: { "Retry-After": "30" } })
        : new Response("ok");
    await warned();
    expect(refusals).toBe(-1);
    expect(posts).toHaveLength(1);
  });

  it("tells a critical alert at once and apart", async () => {
    await using _ = await digests();
    const user = await newUser();
    await addChannel(user.token);
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.until(DAY + 120 * MINUTE);
    await one.settled();
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
    const critical = posts.filter((post) => post.text.includes("abandoned"));
    expect(critical).toHaveLength(1);
    expect(critical[0]?.text).not.toContain("orphaned");
  });

  it("tells what turned critical within the same window together at its end, and nothing twice", async () => {
    await using _ = await digests();
    const user = await newUser();
    await addChannel(user.token, { kind: "slack", url: SLACK }, "critical");
    const happen = (id: string, message: string) =>
      env.DB.prepare(
        `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
         VALUES (?, ?, 'rig', ?, 'delete_failed', 'critical', ?, '{}', 'pending')`,
      )
        .bind(user.userId, Date.now(), id, message)
        .run();
    await Instance.register(user, "rig");
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      posts.push({ url: String(input), text: String(init?.body) });
      // While the first is told, two more happen: their digest has been started already.
      if (posts.length === 1) {
        await happen("e-2", "The second");
        await happen("e-3", "The third");
      }
      return new Response("ok");
    });
    await happen("e-1", "The first");
    await startDigests(env, user.userId, ["critical"]);
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(2);
    expect(posts[0]?.text).toContain("The first");
    expect(posts[0]?.text).not.toContain("The second");
    expect(posts[1]?.text).toContain("The second");
    expect(posts[1]?.text).toContain("The third");
    expect(posts[1]?.text).not.toContain("The first");
  });

  it("whose start failed is started again, and tells what waited", async () => {
    await using _ = await digests();
    const create = vi
      .spyOn(Object.getPrototypeOf(env.ALERT_DIGEST), "create")
      .mockRejectedValue(new Error("workflows are down"));
    expectLogged(/outbox not delivered/);
    const user = await newUser();
    await addChannel(user.token);
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.until(DAY + 5 * MINUTE);
    expect(posts).toEqual([]);
    create.mockRestore();
    await one.until(DAY + 7 * MINUTE);
    await one.settled();
    await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(1);
    expect(posts[0]?.text).toContain("may be stuck");
  });

  it("is not even started for a user without channels", async () => {
    await using introspector = await digests();
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.until(DAY + 6 * MINUTE);
    await one.settled();
    expect(await introspector.get()).toEqual([]);
  });
});

describe("the link of a warning", () => {
  it("does nothing when it is opened, keeps alive by its button, and works once", async () => {
    await using _ = await digests();
    const one = await warned();
    const link = linkOf(posts[0]);
    const opened = await call("GET", link);
    expect(opened.status).toBe(200);
    expect(opened.body).toContain('<form method="post"><button>Keep it alive</button></form>');
    expect(opened.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(opened.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect((await one.ask("GET")).body.keep_alive_until).toBeNull();

    const used = await call("POST", link);
    expect(used.status).toBe(200);
    expect(used.body).toContain("kept alive for 60 minutes");
    expect((await one.ask("GET")).body.keep_alive_until).toBe("2030-01-07T01:03:00Z");
    const again = await call("POST", link);
    expect(again.status).toBe(410);
    expect(again.body).toContain("It works once");
  });

  it("is over an hour after its step, and for any token that is not such a link", async () => {
    await using _ = await digests();
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
    await using _ = await digests();
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
    await using _ = await digests();
    const one = await warned();
    await one.ask("PATCH", "", { name: "<img src=x onerror=alert(1)>" });
    const opened = await call("GET", linkOf(posts[0]));
    expect(opened.body).not.toContain("<img");
    expect(opened.body).toContain("&lt;img");
  });
});

describe("what a newer version stored", () => {
  it("is told by the name of its kind, and a channel that is not known takes no other with it", async () => {
    await using _ = await digests();
    const user = await newUser();
    await addChannel(user.token);
    const strange = await addChannel(user.token, { kind: "slack", url: `${SLACK}/2` });
    const bad = await addChannel(user.token, { kind: "slack", url: `${SLACK}/3` });
    await env.DB.batch([
      env.DB.prepare("UPDATE channels SET kind = 'pager', minimum_severity = 'odd' WHERE id = ?").bind(
        strange,
      ),
      env.DB.prepare("UPDATE channels SET last_delivery = 'no JSON' WHERE id = ?").bind(bad),
      env.DB.prepare(
        `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
         VALUES (?, ?, 'rig', 'e-1', 'moved_away', 'odd', 'It moved', 'no JSON', 'pending')`,
      ).bind(user.userId, DAY),
    ]);
    const listed = await call("GET", "/api/agent/channels", { token: user.token });
    expect(listed.status).toBe(200);
    expect(listed.body.channels).toHaveLength(3);
    const one = await Instance.register(user, "rig", { name: "The rig" });
    for (let minute = 0; minute <= 3; minute++) {
      await one.until(DAY + minute * MINUTE);
      await one.heartbeat(IDLE);
    }
    await one.settled();
    await expect.poll(() => posts.length, { timeout: 10_000 }).toBe(3);
    for (const { text } of posts) expect(text).toContain("moved away");
  });
});

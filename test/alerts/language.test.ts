import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { passAlarms, stateOf } from "../fleet/fleets.ts";
import { mayLog } from "../quiet.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const SLACK = "https://hooks.example.com/services/T0/B0/x";

/** The clock is set far ahead in one go. */
mayLog(/waited for longer than they should/);

let posts: string[];

beforeEach(() => {
  setClock(DAY);
  posts = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
    posts.push(JSON.stringify(JSON.parse(String(init?.body))));
    return new Response("ok");
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type User = Awaited<ReturnType<typeof newUser>>;

async function withChannel(): Promise<User> {
  const user = await newUser();
  const settings = { kind: "slack", url: SLACK };
  const json = { name: "test", minimum_severity: "info", settings };
  expect((await call("POST", "/api/agent/channels", { token: user.token, json })).status).toBe(201);
  return user;
}

async function choose({ token }: User, json: unknown): Promise<void> {
  expect((await call("PATCH", "/api/agent/account", { token, json })).status).toBe(200);
}

/** An instance that idles for three minutes: what its owner is told of it. */
async function toldOfIdle(user: User, id: string): Promise<string> {
  const from = Date.now();
  const before = posts.length;
  const one = await Instance.register(user, id, { name: "The rig" });
  for (let minute = 0; minute <= 3; minute++) {
    await one.until(from + minute * MINUTE);
    await one.heartbeat({ gpu_utilization: 1 });
  }
  await one.settled();
  await passAlarms(fleetOf(env, user.userId), Date.now() + 2 * MINUTE);
  await expect.poll(() => posts.length, { timeout: 60_000 }).toBe(before + 1);
  return posts.at(-1) ?? "";
}

/** How often accounts are looked up from now on. While it is away, D1 does not answer that. */
function lookUps(): { isAway: boolean; count: number } {
  const looks = { isAway: false, count: 0 };
  const prototype = Object.getPrototypeOf(env.DB);
  const { prepare } = prototype;
  vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
    if (String(query).startsWith("SELECT name, language, time_zone")) {
      looks.count += 1;
      if (looks.isAway) throw new Error("D1 is away");
    }
    return prepare.call(this, query);
  });
  return looks;
}

describe("a message", () => {
  it("is in English until the account chooses a language, and in that one from then on", async () => {
    const user = await withChannel();
    const english = await toldOfIdle(user, "one");
    expect(english).toContain("Keep it alive");
    expect(english).toContain("Hibernating");
    await choose(user, { language: "pt-BR" });
    const portuguese = await toldOfIdle(user, "two");
    expect(portuguese).toContain("Manter viva");
    expect(portuguese).toContain("1 instância ociosa");
    expect(portuguese).not.toMatch(/Keep it alive|Hibernating|instance idle/);
    await choose(user, { language: null });
    expect(await toldOfIdle(user, "three")).toContain("Keep it alive");
  });

  it("asks for the language once, and not for each message or heartbeat", async () => {
    const user = await withChannel();
    await choose(user, { language: "pt-BR" });
    const looks = lookUps();
    await toldOfIdle(user, "one");
    await toldOfIdle(user, "two");
    expect(looks.count).toBe(1);
    expect(await stateOf(fleetOf(env, user.userId))).toMatchObject({ addressee: { language: "pt-BR" } });
  });

  it("goes out in the last language that is known while D1 does not answer, and in English where none is", async () => {
    const user = await withChannel();
    const looks = lookUps();
    looks.isAway = true;
    expect(await toldOfIdle(user, "one")).toContain("Keep it alive");
    looks.isAway = false;
    await choose(user, { language: "pt-BR" });
    expect(await toldOfIdle(user, "two")).toContain("Manter viva");
    await fleetOf(env, user.userId).accountChanged();
    looks.isAway = true;
    expect(await toldOfIdle(user, "three")).toContain("Manter viva");
  });

  it("tests a channel in the account's language", async () => {
    const user = await withChannel();
    await choose(user, { language: "pt-BR" });
    const { body } = await call("GET", "/api/agent/channels", { token: user.token });
    const [{ id }] = body.channels;
    await call("POST", `/api/agent/channels/${id}/test`, { token: user.token });
    expect(posts.at(-1)).toContain("Teste deste canal");
  });
});

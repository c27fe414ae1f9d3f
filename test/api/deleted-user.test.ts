import { introspectWorkflow } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestDeletion } from "../../src/accounts/standing.ts";
import { issueToken } from "../../src/accounts/tokens.ts";
import { startDeletion } from "../../src/deletion/workflow.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

/** What a link, or a token, of a user who was deleted still reaches. */

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Links {
  readonly confirm: string;
  readonly keepAlive: string;
}

async function owner(): Promise<{ rig: Instance; links: Links }> {
  const user = await newUser();
  const rig = await Instance.register(user, "rig");
  await rig.heartbeat();
  const registeredAt = Date.parse((await rig.ask("GET")).body.registered_at);
  const settings = { kind: "slack", url: "https://hooks.example.com/services/T0/B0/x" };
  const json = { name: "#gpus", settings };
  const channel = await call("POST", "/api/agent/channels", { token: user.token, json });
  const exp = DAY / 1000 + 3600;
  const sub = user.userId;
  const confirm = { scope: "confirm_channel", sub, channel: channel.body.id, exp } as const;
  const keepAlive = {
    scope: "keep_alive",
    sub,
    instance: "rig",
    registered_at: registeredAt,
    jti: "e-1",
    exp,
  } as const;
  return {
    rig,
    links: {
      confirm: `/confirm-channel/${await issueToken(env.TOKEN_KEY, confirm)}`,
      keepAlive: `/keep-alive/${await issueToken(env.TOKEN_KEY, keepAlive)}`,
    },
  };
}

async function expectOver({ confirm, keepAlive }: Links): Promise<void> {
  for (const path of [confirm, keepAlive]) {
    for (const method of ["GET", "POST"]) {
      const english = await call(method, path);
      expect(english.status, `${method} ${path.slice(0, 12)}`).toBe(410);
      expect(english.body).toContain("This link is over");
      const portuguese = await call(method, path, { headers: { "Accept-Language": "pt-BR" } });
      expect(portuguese.status).toBe(410);
      expect(portuguese.body).toContain("Este link não vale mais");
    }
  }
}

describe("a user who is being deleted", () => {
  it("has links that are over", async () => {
    const { rig, links } = await owner();
    expect((await call("GET", links.confirm)).status).toBe(200);
    expect((await call("GET", links.keepAlive)).status).toBe(200);
    await requestDeletion(env.DB, rig.userId, Date.now());
    await fleetOf(env, rig.userId).account({ type: "leave" });
    await expectOver(links);
  });
});

describe("a user who was deleted", () => {
  it("has links that are over, and tokens that are refused", async () => {
    await using introspector = await introspectWorkflow(env.USER_DELETION);
    await introspector.modifyAll(async (each) => {
      await each.disableRetryDelays();
      await each.disableSleeps();
    });
    const { rig, links } = await owner();
    await requestDeletion(env.DB, rig.userId, Date.now());
    await startDeletion(env, rig.userId, { turn: 1 });
    const path = `/api/admin/users/${rig.userId}`;
    await vi.waitFor(
      async () => expect((await call("GET", path, { token: ADMIN_TOKEN })).body.standing).toBe("deleted"),
      { timeout: 60_000, interval: 50 },
    );
    await expectOver(links);

    expect((await rig.heartbeat()).status).toBe(401);
    const result = { json: { action_id: "a", outcome: "done" }, token: rig.token };
    expect((await call("POST", "/api/agent/actions/a/result", result)).status).toBeLessThan(500);
    for (const route of ["instances", "instances/rig", "events", "policy", "channels", "savings", "live"]) {
      expect((await call("GET", `/api/agent/${route}`, { token: rig.userToken })).status, route).toBe(401);
    }
    expect((await call("GET", "/metrics", { token: rig.userToken })).status).toBe(401);
    const asOperator = { token: ADMIN_TOKEN, json: {} };
    for (const route of ["fleet", "tokens", "export", "instances/rig"]) {
      expect((await call("GET", `${path}/${route}`, { token: ADMIN_TOKEN })).status, route).toBeLessThan(500);
    }
    for (const route of ["suspend", "resume", "tokens", "reconcile", "instances/rig/release"]) {
      expect((await call("POST", `${path}/${route}`, asOperator)).status, route).toBeLessThan(500);
    }
    const word = { because: "x", order_id: "o", at: "2030-01-01T00:00:00Z" };
    for (const route of [
      "digests/d-1/deliver",
      "restore",
      "instances/rig/restore",
      "instances/rig/order/end",
      "instances/rig/order/repeat",
    ]) {
      const reply = await call("POST", `${path}/${route}`, { token: ADMIN_TOKEN, json: word });
      expect(reply.status, route).toBeLessThan(500);
    }
  });
});

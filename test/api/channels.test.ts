import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CHANNEL_FIELDS, OPTIONAL_FIELDS } from "../../src/alerts/channels/settings.ts";
import {
  OPTIONAL_FIELDS as OPTIONAL_ON_PAGE,
  CHANNEL_FIELDS as PAGE_FIELDS,
} from "../../src/dashboard/settings/channel-fields.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { call, newUser, rowsOf } from "../world.ts";

const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

let answer: () => Response;

beforeEach(() => {
  answer = () => new Response("ok");
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => answer());
});
afterEach(() => vi.restoreAllMocks());

const settings = { kind: "slack", url: "https://hooks.example.com/services/T0/B0/secret" };

async function channel(token: string): Promise<string> {
  return (await call("POST", "/api/agent/channels", { token, json: { name: "#gpus", settings } })).body.id;
}

describe("channels", () => {
  it("can be added on the page, of every kind that there is", () => {
    expect(new Map(Object.entries(PAGE_FIELDS))).toEqual(CHANNEL_FIELDS);
    const optional = [...OPTIONAL_FIELDS].filter(([, fields]) => fields.length > 0);
    expect(Object.entries(OPTIONAL_ON_PAGE)).toEqual(optional);
  });

  it("are listed without their secrets, which rest sealed", async () => {
    const { token, userId } = await newUser();
    const id = await channel(token);
    const { body } = await call("GET", "/api/agent/channels", { token });
    expect(body.channels).toEqual([
      {
        id,
        kind: "slack",
        name: "#gpus",
        minimum_severity: "warning",
        created_at: expect.any(String),
        confirmed: true,
        paused: null,
        last_delivery: null,
      },
    ]);
    const { channels } = await rowsOf(fleetOf(env, userId));
    expect(channels).toMatchObject([{ id, settings: expect.any(String) }]);
    expect(JSON.stringify(channels)).not.toContain("secret");
    expect((await call("DELETE", `/api/agent/channels/${id}`, { token })).status).toBe(200);
    expect((await call("DELETE", `/api/agent/channels/${id}`, { token })).status).toBe(404);
  });

  it("are nobody else's", async () => {
    const { token } = await newUser();
    const id = await channel(token);
    const stranger = await newUser("Eve");
    expect((await call("DELETE", `/api/agent/channels/${id}`, { token: stranger.token })).status).toBe(404);
    expect((await call("POST", `/api/agent/channels/${id}/test`, { token: stranger.token })).status).toBe(
      404,
    );
    expect((await call("GET", "/api/agent/channels", { token: stranger.token })).body.channels).toEqual([]);
  });

  it("are tested for the other side's true answer", async () => {
    const { token } = await newUser();
    const id = await channel(token);
    const test = async () => (await call("POST", `/api/agent/channels/${id}/test`, { token })).body;
    expect(await test()).toEqual({ delivered: true, detail: "200 ok" });
    answer = () => new Response("channel_is_archived", { status: 410 });
    expect(await test()).toEqual({ delivered: false, detail: "410 channel_is_archived" });
    answer = () => new Response(null, { status: 302, headers: { Location: "http://169.254.169.254/" } });
    expect(await test()).toEqual({ delivered: false, detail: "302: a redirect, which is not followed" });
    answer = () => {
      throw new TypeError("Network connection lost.");
    };
    expect(await test()).toEqual({ delivered: false, detail: "Network connection lost." });
    expect(
      (await call("GET", "/api/agent/channels", { token })).body.channels[0].last_delivery,
    ).toMatchObject({
      delivered: false,
      detail: "Network connection lost.",
    });
  });

  it.each<[what: string, settings: object, secret: string, said: string]>([
    [
      "the signature of a workflow",
      {
        kind: "teams",
        url: "https://prod.example.com/workflows/1/invoke?api-version=1&sig=s3cr3t%2Dsignature",
      },
      "s3cr3t-signature",
      "The signature s3cr3t-signature is not valid",
    ],
    [
      "the end of an address",
      { kind: "slack", url: "https://hooks.example.com/services/T0/B0/Zx81hQs7TbW0PlmN" },
      "Zx81hQs7TbW0PlmN",
      "no hook Zx81hQs7TbW0PlmN in T0",
    ],
    [
      "a token in the address of a webhook",
      { kind: "webhook", url: "https://example.com/hook?token=0a1b2c3d4e5f6071", secret: SECRET },
      "0a1b2c3d4e5f6071",
      "token 0a1b2c3d4e5f6071: unknown",
    ],
    [
      "a key that stands where what is said is cut",
      { kind: "pagerduty", routing_key: "0123456789abcdef0123456789abcdef" },
      "0123456789abcdef0123456789ab",
      `${"x".repeat(465)} 0123456789abcdef0123456789abcdef`,
    ],
  ])("do not show %s, though the other side says it", async (_, settings, secret, said) => {
    const { token } = await newUser();
    const { body } = await call("POST", "/api/agent/channels", { token, json: { name: "x", settings } });
    answer = () => new Response(said, { status: 400 });
    const tested = (await call("POST", `/api/agent/channels/${body.id}/test`, { token })).body;
    expect(tested.detail).toMatch(/^400 .{15,}/);
    expect(tested.detail.length).toBeLessThan(510);
    expect(tested.detail).not.toContain(secret);
    answer = () => {
      throw new TypeError(`can't reach it: ${said}`);
    };
    expect((await call("POST", `/api/agent/channels/${body.id}/test`, { token })).body.detail).not.toContain(
      secret,
    );
  });

  it.each([
    [{ kind: "slack", url: "http://hooks.example.com/x" }, "body.settings.url"],
    [{ kind: "slack", url: "https://169.254.169.254/latest" }, "body.settings.url"],
    [{ kind: "webhook", url: "https://127.0.0.1/", secret: SECRET }, "body.settings.url"],
    [{ kind: "webhook", url: "https://example.com/" }, "body.settings.secret"],
    [{ kind: "webhook", url: "https://example.com/", secret: "short" }, "body.settings.secret"],
    [{ kind: "email", to: "nobody" }, "body.settings.to"],
    [{ kind: "email", to: "a@b.c\r\nBcc: everybody@example.com" }, "body.settings.to"],
    [{ kind: "discord", url: "https://discord.com/channels/1/2" }, "body.settings.url"],
    [{ kind: "discord", url: "https://10.0.0.1/api/webhooks/1/x" }, "body.settings.url"],
    [{ kind: "teams", url: "https://[::1]/workflow" }, "body.settings.url"],
    [{ kind: "telegram", token: "x/../y", chat_id: "1" }, "body.settings.token"],
    [{ kind: "telegram", token: `123456:${"A".repeat(35)}`, chat_id: "1?a=b" }, "body.settings.chat_id"],
    [{ kind: "ntfy", topic: "a/b" }, "body.settings.topic"],
    [{ kind: "ntfy", server: "https://192.168.1.2", topic: "gpus" }, "body.settings.server"],
    [{ kind: "ntfy", topic: "gpus", token: "tk_1\r\nX: y" }, "body.settings.token"],
    [{ kind: "pagerduty", routing_key: "short" }, "body.settings.routing_key"],
    [{ kind: "pagerduty", routing_key: "k".repeat(32), region: "mars" }, "body.settings.region"],
    [{ kind: "pigeon" }, "body.settings.kind"],
  ])("are refused with %o", async (bad, path) => {
    const { token } = await newUser();
    const reply = await call("POST", "/api/agent/channels", { token, json: { name: "x", settings: bad } });
    expect(reply.status).toBe(400);
    expect(reply.body.error.issues.map((issue: { path: string }) => issue.path)).toContain(path);
  });

  it("are twenty at most", async () => {
    const { token } = await newUser();
    for (let index = 0; index < 20; index++) await channel(token);
    const reply = await call("POST", "/api/agent/channels", { token, json: { name: "x", settings } });
    expect(reply.status).toBe(409);
  });

  it("are as many as may be, and no more, though two are added at once", async () => {
    const { token } = await newUser();
    for (let index = 0; index < 19; index++) await channel(token);
    const add = () => call("POST", "/api/agent/channels", { token, json: { name: "x", settings } });
    const replies = await Promise.all([add(), add(), add()]);
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const refused = replies.find(({ status }) => status === 409);
    expect(refused?.body.error).toEqual({
      code: "too_many",
      message: "A user has 20 channels at most: remove those that are no longer needed",
    });
    expect((await call("GET", "/api/agent/channels", { token })).body.channels).toHaveLength(20);
  });

  const change = (token: string, id: string, json: unknown) =>
    call("PATCH", `/api/agent/channels/${id}`, { token, json });

  it("are changed in what is named, and in nothing else", async () => {
    const { token, userId } = await newUser();
    const id = await channel(token);
    const sealed = async () => JSON.stringify((await rowsOf(fleetOf(env, userId))).channels);
    const before = await sealed();
    expect((await change(token, id, {})).body).toMatchObject({ name: "#gpus", minimum_severity: "warning" });
    expect(await sealed()).toBe(before);
    const changed = await change(token, id, { name: " #night ", minimum_severity: "critical" });
    expect(changed).toMatchObject({
      status: 200,
      body: { id, name: "#night", minimum_severity: "critical" },
    });
    expect(changed.body).toMatchObject({ kind: "slack", paused: null });
    await change(token, id, { settings: { kind: "slack", url: "https://hooks.example.com/other" } });
    await call("POST", `/api/agent/channels/${id}/test`, { token });
    expect(vi.mocked(fetch).mock.lastCall?.[0]).toBe("https://hooks.example.com/other");
  });

  it("keep their kind, and an e-mail address is nobody else's", async () => {
    const { token } = await newUser();
    const id = await channel(token);
    const other = await change(token, id, { settings: { kind: "teams", url: settings.url } });
    expect(other.body.error.issues).toMatchObject([{ path: "body.settings.kind" }]);
    const bad = await change(token, id, { settings: { kind: "slack", url: "http://10.0.0.1/" } });
    expect(bad.body.error.issues).toMatchObject([{ path: "body.settings.url" }]);
    const mail = { name: "mail", settings: { kind: "email", to: "ada@example.com" } };
    const { body } = await call("POST", "/api/agent/channels", { token, json: mail });
    const moved = await change(token, body.id, { settings: { kind: "email", to: "eve@example.com" } });
    expect(moved).toMatchObject({ status: 400 });
    expect(moved.body.error.issues).toMatchObject([{ path: "body.settings" }]);
  });

  it("are changed by nobody else, nor where there are none", async () => {
    const { token } = await newUser();
    const id = await channel(token);
    const stranger = await newUser("Eve");
    expect((await change(stranger.token, id, { paused: true })).status).toBe(404);
    expect((await change(token, "c-1", { paused: true })).status).toBe(404);
    const { body } = await call("GET", "/api/agent/channels", { token });
    expect(body.channels[0].paused).toBeNull();
  });

  it("that are paused are tested all the same, and are paused until they are taken up again", async () => {
    const { token, userId } = await newUser();
    const id = await channel(token);
    const paused = (await change(token, id, { paused: true })).body.paused;
    expect(paused).toEqual({ at: expect.any(String), because: "asked" });
    expect((await change(token, id, { paused: true, name: "quiet" })).body.paused).toEqual(paused);
    expect((await call("POST", `/api/agent/channels/${id}/test`, { token })).body.delivered).toBe(true);
    await change(token, id, { settings: { kind: "slack", url: "https://hooks.example.com/other" } });
    expect((await change(token, id, { paused: false })).body.paused).toBeNull();
    await change(token, id, { paused: true });
    await call("DELETE", `/api/agent/channels/${id}`, { token });
    expect((await rowsOf(fleetOf(env, userId))).paused_channels).toEqual([]);
  });

  it("that are gone at the other side are called no more, until they have new settings", async () => {
    const { token } = await newUser();
    const discord = (secret: string) => ({
      kind: "discord",
      url: `https://discord.com/api/webhooks/1/${secret}`,
    });
    const added = await call("POST", "/api/agent/channels", {
      token,
      json: { name: "d", settings: discord("x") },
    });
    answer = () => new Response('{"message":"Unknown Webhook at /api/webhooks/1/x"}', { status: 404 });
    const { body } = await call("POST", `/api/agent/channels/${added.body.id}/test`, { token });
    expect(body).toEqual({ delivered: false, detail: '404 {"message":"Unknown Webhook at …"}' });
    const [gone] = (await call("GET", "/api/agent/channels", { token })).body.channels;
    expect(gone.paused).toEqual({ at: expect.any(String), because: "gone" });
    const mended = await change(token, added.body.id, { settings: discord("y") });
    expect(mended.body).toMatchObject({ paused: null, last_delivery: null });
  });

  it("by e-mail say so while the service has no sender address", async () => {
    const { token } = await newUser();
    const { body } = await call("POST", "/api/agent/channels", {
      token,
      json: { name: "mail", settings: { kind: "email", to: "ada@example.com" } },
    });
    expect(body).toMatchObject({
      confirmed: false,
      last_delivery: {
        delivered: false,
        detail: "this service has no sender address: MAIL_FROM is not set",
      },
    });
    const test = await call("POST", `/api/agent/channels/${body.id}/test`, { token });
    expect(test.status).toBe(409);
    expect(test.body.error.code).toBe("unconfirmed");
  });
});

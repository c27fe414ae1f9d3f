import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sendNotice } from "../../../src/alerts/channels/registry.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { createRouter } from "../../../src/router.ts";
import { alertOf, passAlarms, reportOf } from "../../fleet/fleets.ts";
import { call, DAY, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;
const A_DAY = 24 * 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const router = createRouter();
const send = vi.fn();
/** The bindings of a service that sends e-mail. */
const mailing = () => ({ ...env, MAIL_FROM: "alerts@dumont.test", EMAIL: { send } });

beforeEach(() => {
  send.mockReset();
  send.mockResolvedValue({ messageId: "m-1" });
});

async function ask(
  method: string,
  path: string,
  more: { token?: string; json?: unknown; language?: string } = {},
) {
  const context = createExecutionContext();
  const request = new Request(`https://dumont.test${path}`, {
    method,
    headers: {
      ...(more.token === undefined ? {} : { Authorization: `Bearer ${more.token}` }),
      ...(more.language === undefined ? {} : { "Accept-Language": more.language }),
    },
    ...(more.json === undefined ? {} : { body: JSON.stringify(more.json) }),
  });
  const response = await router.fetch(request, mailing(), context);
  await waitOnExecutionContext(context);
  const text = await response.text();
  const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
  return {
    status: response.status,
    retryAfter: Number(response.headers.get("Retry-After")),
    text,
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
    body: (isJson ? JSON.parse(text) : null) as any,
  };
}

const NAME = "<b>Buy</b> at https://evil.example";

const addMail = (token: string, to = "ada@example.com") =>
  ask("POST", "/api/agent/channels", { token, json: { name: NAME, settings: { kind: "email", to } } });

/** The path of the link in the last message. */
function link(): string {
  return /https:\/\/dumont\.test(\/confirm-channel\/\S+)/.exec(send.mock.lastCall?.[0].text)?.[1] ?? "";
}

describe("an e-mail address", () => {
  it("is told of nothing before its owner has opened the link and agreed", async () => {
    const { token, userId } = await newUser();
    const added = await addMail(token);
    expect(added).toMatchObject({
      status: 201,
      body: { confirmed: false, last_delivery: { delivered: true } },
    });
    expect(send).toHaveBeenCalledTimes(1);
    const test = await ask("POST", `/api/agent/channels/${added.body.id}/test`, { token });
    expect(test).toMatchObject({ status: 409, body: { error: { code: "unconfirmed" } } });

    // An alert goes nowhere, and does not wait for the confirmation either.
    const fleet = fleetOf(env, userId);
    await fleet.report(reportOf("rig", { events: [alertOf("before", { severity: "critical" })] }));
    await passAlarms(fleet, DAY + 10 * MINUTE);
    const waiting = await runInDurableObject(fleet, (_, { storage: { sql } }) =>
      sql.exec("SELECT id FROM deliveries").toArray(),
    );
    expect(waiting).toEqual([]);
    // Nor does a message that was on its way.
    const notice = { title: "x", severity: "info", groups: [] } as const;
    const context = { waitUntil: () => undefined };
    expect(await sendNotice(mailing(), context, userId, added.body.id, notice, "m")).toBeNull();
    expect(send).toHaveBeenCalledTimes(1);

    // Previews open links: that alone confirms nothing.
    const confirming = link();
    expect(await ask("GET", confirming)).toMatchObject({ status: 200 });
    expect((await ask("GET", "/api/agent/channels", { token })).body.channels[0].confirmed).toBe(false);
    expect(await ask("POST", confirming)).toMatchObject({
      status: 200,
      text: expect.stringContaining("Confirmed"),
    });
    expect((await ask("GET", "/api/agent/channels", { token })).body.channels[0].confirmed).toBe(true);
    expect(await ask("POST", `/api/agent/channels/${added.body.id}/test`, { token })).toMatchObject({
      status: 200,
      body: { delivered: true },
    });
    // Once more is well, and there is nothing left to ask.
    expect(await ask("POST", confirming)).toMatchObject({ status: 200 });
    const again = await ask("POST", `/api/agent/channels/${added.body.id}/confirmation`, { token });
    expect(again).toMatchObject({ status: 409, body: { error: { code: "not_possible" } } });
  });

  it("is sent nothing that a user could write, and the page shows the name escaped, in the reader's language", async () => {
    const { token } = await newUser();
    await addMail(token);
    const message = send.mock.lastCall?.[0];
    expect(message).toMatchObject({ from: "alerts@dumont.test", to: "ada@example.com" });
    expect(JSON.stringify(message)).not.toMatch(/Buy|evil/);
    const english = await ask("GET", link(), { language: "de, en;q=0.5" });
    expect(english.text).toContain("Receive alerts at this address?");
    expect(english.text).toContain("&lt;b&gt;Buy&lt;/b&gt;");
    const portuguese = await ask("GET", link(), { language: "pt-BR,pt;q=0.9,en;q=0.5" });
    expect(portuguese.text).toContain("Receber alertas neste endereço?");
    expect(portuguese.text).toContain('lang="pt-BR"');
  });

  it("is asked again once a minute, and a user's addresses so often a day, deleted channels included", async () => {
    const { token } = await newUser();
    const { body } = await addMail(token);
    const again = () => ask("POST", `/api/agent/channels/${body.id}/confirmation`, { token });
    setClock(DAY + MINUTE / 2);
    expect(await again()).toMatchObject({
      status: 429,
      retryAfter: 30,
      body: { error: { code: "too_many_requests" } },
    });
    setClock(DAY + MINUTE);
    expect(await again()).toMatchObject({ status: 200, body: { delivered: true } });
    for (let index = 2; index < 20; index++) {
      const { body: one } = await addMail(token, `victim-${index}@example.com`);
      expect(one.last_delivery.delivered).toBe(true);
      await ask("DELETE", `/api/agent/channels/${one.id}`, { token });
    }
    expect(send).toHaveBeenCalledTimes(20);
    const late = await addMail(token, "victim-20@example.com");
    expect(late).toMatchObject({
      status: 201,
      body: { confirmed: false, last_delivery: { delivered: false } },
    });
    expect(send).toHaveBeenCalledTimes(20);
    setClock(DAY + 2 * MINUTE);
    expect(await again()).toMatchObject({ status: 429, retryAfter: (A_DAY - 2 * MINUTE) / 1000 });
    setClock(DAY + A_DAY);
    expect(await again()).toMatchObject({ status: 200 });
  });

  it("is not confirmed by a link that is old, forged, of another channel or of one that was deleted", async () => {
    const { token } = await newUser();
    const { body } = await addMail(token);
    const good = link();
    for (const bad of [
      `${good}x`,
      "/confirm-channel/a.b.c",
      good.replace("/confirm-channel/", "/keep-alive/"),
    ]) {
      expect((await ask("POST", bad)).status).toBe(410);
    }
    setClock(DAY + 2 * A_DAY + MINUTE);
    expect((await ask("POST", good)).status).toBe(410);
    setClock(DAY);
    await ask("DELETE", `/api/agent/channels/${body.id}`, { token });
    expect((await ask("GET", good)).status).toBe(410);
    expect((await ask("POST", good)).status).toBe(410);
    const stranger = await newUser("Eve");
    expect(
      (await ask("POST", `/api/agent/channels/${body.id}/confirmation`, { token: stranger.token })).status,
    ).toBe(404);
  });

  it("that was there before counts as confirmed", async () => {
    const { token, userId } = await newUser();
    const { body } = await addMail(token);
    const fleet = fleetOf(env, userId);
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      sql.exec("DELETE FROM unconfirmed_channels");
    });
    expect((await call("GET", "/api/agent/channels", { token })).body.channels).toMatchObject([
      { confirmed: true },
    ]);
    expect((await ask("POST", `/api/agent/channels/${body.id}/test`, { token })).status).toBe(200);
  });
});

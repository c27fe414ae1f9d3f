import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { issueToken } from "../../src/accounts/tokens.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

/** The page behind the link in an alert. */

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

async function newLink(more: Record<string, unknown> = {}) {
  const rig = await Instance.register(await newUser(), "rig", more);
  await rig.heartbeat();
  const registered_at = Date.parse((await rig.ask("GET")).body.registered_at);
  const claims = { sub: rig.userId, instance: rig.id, registered_at, exp: DAY / 1000 + 3600 };
  const token = await issueToken(env.TOKEN_KEY, { scope: "keep_alive", jti: "e-1", ...claims });
  return `/keep-alive/${token}`;
}

const inLanguage = (accepted: string) => ({ headers: { "Accept-Language": accepted } });

it.each([
  ["en;q=0.1, pt-BR", "pt-BR"],
  ["fr, pt-BR, en;q=0.5", "pt-BR"],
  ["pt;q=0, en", "en"],
  ["ptolemaic", "en"],
])("to whom asks for %j it speaks %s, as the API does", async (accepted, language) => {
  const { body } = await call("GET", await newLink(), inLanguage(accepted));
  expect(/<html lang="([^"]+)"/.exec(body)?.[1]).toBe(language);
});

it("says why, and why not, in the language of its reader", async () => {
  const link = await newLink({ provider: "none" });
  expect((await call("GET", link)).body).toContain("<dd>Heartbeats arrive; GPU at 87%.</dd>");
  const page = await call("GET", link, inLanguage("pt-BR"));
  expect(page.body).not.toContain("Heartbeats arrive");
  const form = { raw: "hibernate=now", ...inLanguage("pt-BR") };
  const refused = await call("POST", link, form);
  expect(refused.status).toBe(409);
  const [why] = /<p>[^<]*<\/p>/.exec(refused.body.slice(refused.body.indexOf("</h1>"))) ?? [];
  const english = await call("POST", link, { raw: "hibernate=now" });
  expect(english.body).not.toContain(why);
});

it("tells times in the account's zone, and in UTC while that is not known", async () => {
  const ada = await newUser();
  const rig = await Instance.register(ada, "rig");
  await rig.heartbeat();
  const registered_at = Date.parse((await rig.ask("GET")).body.registered_at);
  const linkTo = async (jti: string) => {
    const claims = { sub: ada.userId, instance: rig.id, registered_at, exp: DAY / 1000 + 3 * 3600 };
    return `/keep-alive/${await issueToken(env.TOKEN_KEY, { scope: "keep_alive", jti, ...claims })}`;
  };
  await rig.until(DAY + 10 * 60_000);
  const because = async () =>
    /No heartbeat since .*?UTC(-03:00)?/.exec((await call("GET", await linkTo("e-1"))).body)?.[0] ?? "";
  const kept = async (jti: string) =>
    /until [^.]+/.exec((await call("POST", await linkTo(jti), { raw: "hours=1" })).body)?.[0] ?? "";
  expect(await because()).toBe("No heartbeat since Jan 7, 2030, 00:00:00 UTC");
  const json = { time_zone: "America/Sao_Paulo" };
  expect((await call("PATCH", "/api/agent/account", { token: ada.token, json })).status).toBe(200);
  expect(await because()).toBe("No heartbeat since Jan 6, 2030, 21:00:00 UTC-03:00");
  const database = vi.spyOn(env.DB, "prepare").mockImplementation(() => {
    throw new Error("D1 is away");
  });
  const away = await call("GET", await linkTo("e-4"));
  database.mockRestore();
  expect([away.status, away.body.includes("Jan 7, 2030, 00:00:00 UTC")]).toEqual([200, true]);
  expect(await kept("e-3")).toMatch(/^until 22:10 GMT-3/);
});

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

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const PORTUGUESE = { "Accept-Language": "pt-BR,pt;q=0.9,en;q=0.8" };

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

it("the same events, reasons and refusals are told in the language that is asked for", async () => {
  const ada = await newUser("Ada");
  const rig = await Instance.register(ada, "rig", { name: "Rig", provider: "none" });
  await rig.heartbeat({ gpu_utilization: 97 });
  await rig.until(DAY + MINUTE);
  await rig.settled();
  const read = async (path: string, headers: Record<string, string> = {}) =>
    call("GET", path, { token: ada.token, headers });

  for (const path of ["/api/agent/events", "/api/agent/instances/rig/events"]) {
    const [english, portuguese] = [await read(path), await read(path, PORTUGUESE)];
    const said = (reply: typeof english) =>
      reply.body.events.map(({ message }: { message: string }) => message);
    expect(said(english)).toEqual(["First heartbeat received", "Registered as Rig"]);
    expect(said(portuguese)).toEqual(["Primeiro heartbeat recebido", "Registrada como Rig"]);
    expect(portuguese.headers.get("Vary")).toContain("Accept-Language");
    expect(JSON.stringify([english.body, portuguese.body])).not.toContain("code");
  }

  const detail = await read("/api/agent/instances/rig");
  const translated = await read("/api/agent/instances/rig", PORTUGUESE);
  expect(detail.body.lifecycle.because).toBe("Heartbeats arrive; GPU at 97%");
  expect(translated.body.lifecycle.because).toBe("Chegam heartbeats; GPU em 97%");
  expect(translated.headers.get("ETag")).not.toBe(detail.headers.get("ETag"));

  const refuse = (headers?: Record<string, string>) =>
    call("POST", "/api/agent/instances/rig/hibernate", { token: ada.token, ...(headers && { headers }) });
  const codes = [await refuse(), await refuse(PORTUGUESE)].map(({ status, body }) => [status, body.error]);
  expect(codes).toEqual([
    [409, { code: "no_provider", message: "The instance has no provider that could hibernate it" }],
    [409, { code: "no_provider", message: "A instância não tem um provedor que possa hiberná-la" }],
  ]);
});

it("a list says each line in the reader's language and time, and as it was said where its phrase is not known", async () => {
  const ada = await newUser("Ada");
  const rig = await Instance.register(ada, "rig", { name: "Rig", provider: "none" });
  await rig.heartbeat({ gpu_utilization: 0 });
  await rig.until(DAY + 20 * MINUTE);
  await rig.settled();
  const read = async (query: string, headers: Record<string, string> = {}) => {
    const reply = await call("GET", `/api/agent/instances${query}`, { token: ada.token, headers });
    const [{ alert, lifecycle, ...row }] = reply.body.instances;
    expect(row).not.toHaveProperty("words");
    return {
      alert,
      because: lifecycle.because,
      tag: reply.headers.get("ETag"),
      vary: reply.headers.get("Vary"),
    };
  };
  const inSaoPaulo = { ...PORTUGUESE, "Time-Zone": "America/Sao_Paulo" };
  const english = await read("?view=summary");
  expect(english.because).toBe(
    "No heartbeat since 2030-01-07T00:00:00Z, orphaned since 2030-01-07T00:05:00Z",
  );
  expect(english.alert).toBe("No heartbeat for 5 minutes. May be stuck.");
  for (const query of ["", "?view=summary"]) {
    const told = await read(query, inSaoPaulo);
    expect(told.because).toBe(
      "Nenhum heartbeat desde 06/01/2030, 21:00:00 UTC-03:00, órfã desde 06/01/2030, 21:05:00 UTC-03:00",
    );
    expect(told.alert).toMatch(/^Nenhum heartbeat há \d+ minutos\. Pode estar travada\.$/);
    expect(told.vary).toContain("Time-Zone");
  }
  expect((await read("?view=summary", { "Time-Zone": "America/Sao_Paulo" })).because).toContain(
    "Jan 6, 2030, 21:00:00 UTC-03:00",
  );
  const tags = new Set<string | null>();
  for (const headers of [{}, PORTUGUESE, inSaoPaulo]) tags.add((await read("?view=summary", headers)).tag);
  expect(tags.size).toBe(3);
  for (const zone of ["Mars/Olympus", "x".repeat(9000), "../../etc", "", "__proto__"]) {
    expect(await read("?view=summary", { "Time-Zone": zone })).toEqual(english);
  }

  const said = (words: string | null) =>
    runInDurableObject(fleetOf(env, ada.userId), (_, { storage }) => {
      storage.sql.exec("UPDATE instances SET words = ?", words);
    });
  // The former release leaves the phrases of the row before; a later one may have others.
  const others = [
    null,
    "{",
    JSON.stringify({ because: "No phrase" }),
    JSON.stringify({ because: { code: "because.hibernated", since: DAY } }),
    JSON.stringify({
      because: { code: "because.of_a_later_release", since: DAY },
      alert: { code: "__proto__" },
    }),
  ];
  for (const words of others) {
    await said(words);
    const { because, alert } = await read("?view=summary", inSaoPaulo);
    expect([because, alert]).toEqual([english.because, english.alert]);
  }
});

it("what is wrong with a request is told in the language that is asked for, and in English for programs", async () => {
  const { token } = await newUser("Ada");
  const json = { idle: { threshold_percent: -1 }, schedule: { timezone: "Nowhere" } };
  const put = (headers: Record<string, string>) => call("PUT", "/api/agent/policy", { token, json, headers });
  const { error } = (await put(PORTUGUESE)).body;
  expect(error.issues).toEqual([
    {
      path: "body.idle.threshold_percent",
      message: "Pequeno demais: esperava que o número fosse >= 0",
      english: "Too small: expected number to be >=0",
    },
    {
      path: "body.schedule.timezone",
      message: "deve ser o nome de um fuso horário, como America/Sao_Paulo",
      english: "must be the name of a time zone, as America/Sao_Paulo",
    },
  ]);
  expect(error.message).toBe(`${error.issues[0].path}: ${error.issues[0].message}`);
  expect((await put({})).body.error.issues[1]).toEqual({
    path: "body.schedule.timezone",
    message: "must be the name of a time zone, as America/Sao_Paulo",
  });
  const unknown = await call("GET", "/api/agent/instances/none", { token, headers: PORTUGUESE });
  expect(unknown.body.error).toEqual({ code: "not_found", message: "Isso não existe aqui" });
  const refused = await call("GET", "/api/agent/instances", { headers: PORTUGUESE });
  expect([refused.status, refused.body.error.message]).toEqual([401, "É preciso um token válido"]);
});

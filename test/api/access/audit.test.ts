import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ACTS_KEPT, listActs, recordAct, trimActs } from "../../../src/accounts/audit.ts";
import { englishAccess } from "../../../src/dashboard/settings/access/words/english.ts";
import { OF_SESSIONS, OF_THE_OPERATOR } from "../../../src/http/audit.ts";
import { expectLogged, loggedLines } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../../world.ts";
import { type Account, actsOf, ask, type Member, newMember, OWN_PAGE } from "./world.ts";

const ONE_DAY = 86_400_000;

let ada: Account & { tokenId: string };

beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const audit = async (query = "") =>
  (await call("GET", `/api/agent/audit?limit=1000${query}`, { token: ada.token })).body;

/** Writes acts down as the service does, a millisecond apart. */
async function write(
  sort: "owner" | "machine" | "session" | "refused",
  count: number,
  from = DAY,
): Promise<void> {
  const who = JSON.stringify({ kind: "token", id: "t-1", name: "script" });
  const rows = Array.from({ length: count }, (_, n) =>
    env.DB.prepare(
      "INSERT INTO audit (user_id, at, id, who, act, subject, detail) VALUES (?, ?, ?, ?, 'wakeInstance', NULL, '{}')",
    ).bind(ada.userId, from + n, `${sort}-${crypto.randomUUID()}`, who),
  );
  for (let begin = 0; begin < rows.length; begin += 500) await env.DB.batch(rows.slice(begin, begin + 500));
}

describe("the audit", () => {
  it("says who changed what, by the token and by the person", async () => {
    const rig = await Instance.register(ada, "rig");
    const bea = await newMember(ada, { name: "Bea", role: "operator" });
    expect((await ask(bea, "POST", "/api/agent/instances/rig/keep-alive", {})).status).toBe(200);
    expect((await rig.ask("POST", "/keep-alive", {})).status).toBe(200);
    const acts = await actsOf(ada, "keepAlive", 2);
    expect(acts.map(({ subject, who }) => [subject, who.kind, who.name]).sort()).toEqual([
      ["rig", "person", "Bea"],
      ["rig", "token", "default"],
    ]);
    const [signedIn] = await actsOf(ada, "signIn");
    expect(signedIn).toMatchObject({ who: { kind: "person", id: bea.id, name: "Bea" } });
  });

  it("says nothing of what only reads, of what was refused as wrong, and of machines", async () => {
    const rig = await Instance.register(ada, "rig");
    await rig.heartbeat();
    await rig.ask("GET");
    await rig.ask("POST", "/keep-alive", { minutes: -1 });
    await rig.ask("POST", "/lifecycle/preview", {});
    await call("DELETE", "/api/agent/channels/none", { token: ada.token });
    await call("POST", "/api/agent/nothing", { token: ada.token });
    await actsOf(ada, "registerInstance");
    const acts: { act: string }[] = (await audit()).acts;
    // The token, which the operator made, is written down whenever that is.
    expect(acts.map(({ act }) => act).filter((act) => act !== "createUserToken")).toEqual([
      "registerInstance",
    ]);
  });

  it("holds no secret of what was asked and answered", async () => {
    const settings = {
      kind: "webhook",
      url: "https://hooks.example.com/s3cret",
      secret: `whsec_${"a".repeat(40)}`,
    };
    const made = await call("POST", "/api/agent/channels", {
      token: ada.token,
      json: { name: "hook", settings },
    });
    expect(made.status).toBe(201);
    const session = await call("POST", "/api/session", { headers: OWN_PAGE, json: { token: ada.token } });
    await actsOf(ada, "createChannel");
    await actsOf(ada, "signIn");
    const { results } = await env.DB.prepare("SELECT * FROM audit WHERE user_id = ?").bind(ada.userId).all();
    const text = JSON.stringify(results);
    const cookie = session.headers.get("Set-Cookie") ?? "";
    for (const secret of ["s3cret", "whsec_", ada.token.slice(40), cookie.slice(24, 60)]) {
      expect(text).not.toContain(secret);
    }
  });

  it("tells of what the operator did about who gets in, and of nothing else that the operator does", async () => {
    const path = `/api/admin/users/${ada.userId}`;
    await call("POST", `${path}/reconcile`, { token: ADMIN_TOKEN });
    await call("POST", `${path}/suspend`, { token: ADMIN_TOKEN });
    await call("POST", `${path}/resume`, { token: ADMIN_TOKEN });
    const [resumed] = await actsOf(ada, "resumeUser");
    expect(resumed).toMatchObject({ who: { kind: "operator", id: null, name: null } });
    await actsOf(ada, "suspendUser");
    const { body } = await call("POST", `${path}/tokens`, { token: ADMIN_TOKEN });
    await call("DELETE", `/api/admin/tokens/${body.token_id}`, { token: ADMIN_TOKEN });
    expect((await actsOf(ada, "revokeUserToken"))[0]).toMatchObject({
      subject: body.token_id,
      who: { kind: "operator" },
    });
    expect(new Set((await audit()).acts.map(({ act }: { act: string }) => act))).toEqual(
      new Set(["createUserToken", "suspendUser", "resumeUser", "revokeUserToken"]),
    );
  });

  it("weighs a revoked token and somebody else's browser that was signed out as what only owners do", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "operator" });
    const board = await call("POST", "/api/agent/tokens", {
      token: ada.token,
      json: { name: "board", role: "viewer" },
    });
    const sessionOf = async (member: Member) =>
      (await ask(member, "GET", "/api/agent/whoami")).body.session_id;
    await call("DELETE", `/api/agent/sessions/${await sessionOf(bea)}`, { token: ada.token });
    await call("DELETE", `/api/agent/tokens/${board.body.id}`, { token: ada.token });
    const carl = await newMember(ada, { name: "Carl", role: "viewer" });
    await ask(carl, "DELETE", `/api/agent/sessions/${await sessionOf(carl)}`);
    await actsOf(ada, "deleteSession", 2);
    await actsOf(ada, "deleteToken");
    const sorts = (await audit()).acts
      .filter(({ act }: { act: string }) => act.startsWith("delete"))
      .map(({ id, who }: { id: string; who: { name: string } }) => `${who.name} ${id.split("-")[0]}`);
    expect(sorts.sort()).toEqual(["Carl session", "default owner", "default owner"]);
  });

  it("tells what a role did not allow, of which nothing was done", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "viewer" });
    await Instance.register(ada, "rig");
    expect((await ask(bea, "POST", "/api/agent/instances/rig/hibernate", {})).status).toBe(403);
    expect((await ask(bea, "GET", "/api/agent/audit")).status).toBe(403);
    const [act] = await actsOf(ada, "hibernate");
    expect(act).toMatchObject({
      who: { name: "Bea" },
      subject: "rig",
      detail: { refused: true, needs: "operator" },
    });
    expect((await actsOf(ada, "listAudit"))[0]).toMatchObject({ detail: { refused: true, needs: "owner" } });
  });

  it("is read page by page, the newest first, without what is older than 400 days", async () => {
    await write("machine", 1, DAY - 401 * ONE_DAY);
    await write("machine", 25, DAY + ONE_DAY);
    const seen: string[] = [];
    let cursor = "";
    for (let page = 0; page < 10; page++) {
      const path = `/api/agent/audit?limit=10${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const { body } = await call("GET", path, { token: ada.token });
      seen.push(...body.acts.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor ?? "";
      if (cursor === "") break;
    }
    // The last one is the token that the account was made with.
    expect(seen.length).toBe(26);
    expect(new Set(seen).size).toBe(26);
    expect((await call("GET", "/api/agent/audit?cursor=x", { token: ada.token })).status).toBe(400);
    expect((await call("GET", "/api/agent/audit?limit=0", { token: ada.token })).status).toBe(400);
  });

  it("is the account's own", async () => {
    const eve = await newUser("Eve");
    await Instance.register(ada, "rig");
    await actsOf(ada, "registerInstance");
    const { body } = await call("GET", "/api/agent/audit", { token: eve.token });
    expect(body.acts.filter(({ act }: { act: string }) => act === "registerInstance")).toEqual([]);
  });

  it("keeps the newest of each sort, so that nobody drives out what weighs more", async () => {
    await write("owner", 3);
    await write("refused", ACTS_KEPT.refused + 20, DAY + 1000);
    await trimActs(env.DB, ada.userId);
    const { acts } = await listActs(env.DB, ada.userId, { before: null, limit: 2000, since: 0 });
    const count = (sort: string) => acts.filter(({ id }) => id.startsWith(`${sort}-`)).length;
    expect(count("refused")).toBe(ACTS_KEPT.refused);
    expect(Math.min(...acts.filter(({ id }) => id.startsWith("refused")).map(({ at }) => at))).toBe(
      DAY + 1020,
    );
    expect(count("owner")).toBeGreaterThanOrEqual(3);
  });

  it("is trimmed by the way, now and then", async () => {
    await write("refused", ACTS_KEPT.refused + 5);
    const act = {
      sort: "refused" as const,
      at: DAY + ONE_DAY,
      who: { kind: "operator" as const },
      act: "wakeInstance",
      subject: "x".repeat(1000),
      detail: {
        text: "y".repeat(1000),
        ...Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, n])),
      },
    };
    await recordAct(env.DB, ada.userId, act, 0.5);
    const count = () =>
      env.DB.prepare("SELECT COUNT(*) AS n FROM audit WHERE user_id = ? AND id GLOB 'refused-*'")
        .bind(ada.userId)
        .first("n");
    expect(await count()).toBe(ACTS_KEPT.refused + 6);
    await recordAct(env.DB, ada.userId, act, 0);
    expect(await count()).toBe(ACTS_KEPT.refused);
    // Of one act, too, there is only so much.
    const { acts } = await listActs(env.DB, ada.userId, { before: null, limit: 1, since: 0 });
    expect(JSON.stringify(acts).length).toBeLessThan(1000);
  });

  it("has an act though the older ones can't be deleted by the way", async () => {
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("away"));
    const act = { sort: "owner", at: DAY, who: { kind: "operator" }, act: "wakeInstance" } as const;
    expectLogged(/acts beyond the newest were not deleted/);
    await recordAct(env.DB, ada.userId, { ...act, subject: "rig", detail: {} }, 0);
    expect(batch).toHaveBeenCalledOnce();
    expect((await audit()).acts.map(({ act }: { act: string }) => act)).toContain("wakeInstance");
  });

  it("leaves out what a newer version wrote", async () => {
    await env.DB.prepare(
      `INSERT INTO audit (user_id, at, id, who, act, subject, detail) VALUES (?1, ?2, 'owner-1', '{"kind":"robot"}', 'x', NULL, '{}'),
         (?1, ?2, 'owner-2', 'no JSON', 'x', NULL, '{}')`,
    )
      .bind(ada.userId, DAY)
      .run();
    expect((await audit()).acts.filter(({ act }: { act: string }) => act === "x")).toEqual([]);
  });

  it("keeps nobody from doing anything while it can't be written", async () => {
    expectLogged(/an act was not written down/);
    const away = "CREATE TRIGGER audit_away BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'away'); END";
    await env.DB.prepare(away).run();
    try {
      const json = { instance_id: "rig" };
      expect((await call("POST", "/api/agent/instances", { token: ada.token, json })).status).toBe(201);
      const isLogged = () => loggedLines().some(({ message }) => message === "an act was not written down");
      await vi.waitFor(() => expect(isLogged()).toBe(true), { timeout: 30_000 });
    } finally {
      await env.DB.prepare("DROP TRIGGER audit_away").run();
    }
  });
});

const documentSchema = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        security: z.array(z.record(z.string(), z.unknown())).optional(),
      }),
    ),
  ),
});

describe("the page", () => {
  it("has words for each act that is written down, and for nothing else", async () => {
    const { paths } = documentSchema.parse((await call("GET", "/openapi.json")).body);
    const ofUsers = Object.values(paths).flatMap((path) =>
      Object.entries(path)
        .filter(([method, { security = [] }]) => method !== "get" && security.some((way) => "user" in way))
        .map(([, { operationId }]) => operationId),
    );
    const written = new Set([...ofUsers, ...OF_SESSIONS, ...OF_THE_OPERATOR]);
    expect(Object.keys(englishAccess.acts).sort()).toEqual([...written].sort());
  });
});

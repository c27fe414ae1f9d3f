import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { INVITATIONS_PER_ACCOUNT } from "../../../src/accounts/invitations.ts";
import { ADMIN_TOKEN, call, DAY, newUser, type Reply, setClock } from "../../world.ts";
import { type Account, ask, follow, invite, type Member, newMember, secretIn } from "./world.ts";

/** What somebody has made, once they may make it no longer. */

const ONE_DAY = 86_400_000;

let ada: Account;
let eve: Member;

beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
  eve = await newMember(ada, { name: "Eve", role: "owner" });
});
afterEach(() => vi.useRealTimers());

const owner = (method: string, path: string, json?: unknown): Promise<Reply> =>
  call(method, path, { token: ada.token, ...(json === undefined ? {} : { json }) });

async function invitedBy(maker: Member, role: string, name = "Back"): Promise<string> {
  const { status, body } = await ask(maker, "POST", "/api/agent/invitations", { name, role });
  expect(status).toBe(201);
  return secretIn(body.url);
}

interface Made {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

async function tokenOf(asked: Promise<Reply>): Promise<Made> {
  const { status, body } = await asked;
  expect(status).toBe(201);
  return body;
}

const asToken = (name: string, more: Record<string, unknown> = {}) => ({ name, role: "owner", ...more });

const open = async () => (await owner("GET", "/api/agent/invitations")).body.invitations;
const statusOf = async (secret: string) => (await follow(secret)).status;

describe("an invitation", () => {
  it("is over when the person who made it is removed", async () => {
    const secret = await invitedBy(eve, "owner");
    expect(await open()).toMatchObject([{ name: "Back", made_by: "Eve" }]);
    expect((await owner("DELETE", `/api/agent/people/${eve.id}`)).status).toBe(200);
    expect(await statusOf(secret)).toBe(401);
    expect(await open()).toEqual([]);
    expect((await owner("GET", "/api/agent/people")).body.people).toEqual([]);
  });

  it.each(["viewer", "operator", "owner"])(
    "into the role %s is over when who made it is an owner no longer",
    async (role) => {
      const secret = await invitedBy(eve, role);
      await owner("PATCH", `/api/agent/people/${eve.id}`, { role: "operator" });
      expect(await open()).toEqual([]);
      expect(await statusOf(secret)).toBe(401);
    },
  );

  it("is over when the token that made it is revoked", async () => {
    const made = await tokenOf(owner("POST", "/api/agent/tokens", asToken("invites")));
    const { body } = await invite({ ...ada, token: made.token }, { name: "Back", role: "viewer" });
    await owner("DELETE", `/api/agent/tokens/${made.id}`);
    expect(await statusOf(secretIn(body.url))).toBe(401);
    expect(await open()).toEqual([]);
  });

  it("is over when the token that made it has ended", async () => {
    const asked = asToken("invites", { expires_in_days: 1 });
    const made = await tokenOf(owner("POST", "/api/agent/tokens", asked));
    const { body } = await invite({ ...ada, token: made.token }, { name: "Back", role: "viewer" });
    setClock(DAY + ONE_DAY);
    expect(await statusOf(secretIn(body.url))).toBe(401);
  });

  it("stands while its maker is an owner, however others fare", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "owner" });
    const secret = await invitedBy(eve, "owner");
    await owner("DELETE", `/api/agent/people/${bea.id}`);
    await owner("PATCH", `/api/agent/people/${eve.id}`, { name: "Evelyn" });
    expect(await statusOf(secret)).toBe(201);
  });

  it("is not the maker's of the same id in another account", async () => {
    const secret = await invitedBy(eve, "owner");
    const elsewhere = await newUser("Elsewhere");
    await env.DB.prepare("UPDATE people SET user_id = ? WHERE id = ?").bind(elsewhere.userId, eve.id).run();
    expect(await statusOf(secret)).toBe(401);
  });

  it("that nobody can follow any more takes no place, and does not come back beyond the limit", async () => {
    const secrets: string[] = [];
    for (let n = 0; n < INVITATIONS_PER_ACCOUNT; n++) secrets.push(await invitedBy(eve, "viewer", `N${n}`));
    await owner("PATCH", `/api/agent/people/${eve.id}`, { role: "viewer" });
    expect((await invite(ada, { name: "Cid", role: "viewer" })).status).toBe(201);
    await owner("PATCH", `/api/agent/people/${eve.id}`, { role: "owner" });
    expect(await open()).toMatchObject([{ name: "Cid" }]);
    expect(await statusOf(secrets[0] ?? "")).toBe(401);
  });
});

describe("the tokens of a person who is removed", () => {
  const removed = async (id: string) => (await owner("DELETE", `/api/agent/people/${id}`)).body;

  it("are told to whoever removes the person, with those that were made with them", async () => {
    const first = await tokenOf(ask(eve, "POST", "/api/agent/tokens", asToken("first")));
    setClock(DAY + 1000);
    const second = await tokenOf(
      call("POST", "/api/agent/tokens", { token: first.token, json: asToken("second") }),
    );
    await tokenOf(owner("POST", "/api/agent/tokens", asToken("another's")));
    expect(await removed(eve.id)).toEqual({
      success: true,
      tokens: [
        { id: first.id, name: "first" },
        { id: second.id, name: "second" },
      ],
    });
  });

  it("are told only where they still stand", async () => {
    const revoked = await tokenOf(ask(eve, "POST", "/api/agent/tokens", asToken("revoked")));
    const child = await tokenOf(
      call("POST", "/api/agent/tokens", { token: revoked.token, json: asToken("child") }),
    );
    await tokenOf(ask(eve, "POST", "/api/agent/tokens", asToken("ended", { expires_in_days: 1 })));
    await owner("DELETE", `/api/agent/tokens/${revoked.id}`);
    setClock(DAY + ONE_DAY);
    expect((await removed(eve.id)).tokens).toEqual([{ id: child.id, name: "child" }]);
  });

  it("are none for somebody who made none", async () => {
    expect(await removed(eve.id)).toEqual({ success: true, tokens: [] });
  });

  it("are told by an account that was brought in from an export, too", async () => {
    const made = await tokenOf(ask(eve, "POST", "/api/agent/tokens", asToken("hers")));
    const admin = { token: ADMIN_TOKEN };
    const { body } = await call("GET", `/api/admin/users/${ada.userId}/export`, admin);
    const lines = body.lines.filter(({ type }: { type: string }) => type === "token");
    expect(lines.find(({ id }: { id: string }) => id === made.id)).toMatchObject({ made_by_id: eve.id });
    await env.DB.prepare("DELETE FROM user_tokens WHERE id = ?").bind(made.id).run();
    const json = { from_user_id: ada.userId, exported_at: DAY, lines };
    await call("POST", `/api/admin/users/${ada.userId}/import`, { ...admin, json });
    expect((await removed(eve.id)).tokens).toEqual([{ id: made.id, name: "hers" }]);
  });
});

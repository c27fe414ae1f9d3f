import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { INVITATIONS_PER_ACCOUNT } from "../../../src/accounts/invitations.ts";
import { call, DAY, newUser, type Reply, setClock } from "../../world.ts";
import { type Account, actsOf, ask, follow, invite, linkOf, newMember, people, secretIn } from "./world.ts";

const ONE_DAY = 86_400_000;

let ada: Account & { tokenId: string };

beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
});
afterEach(() => vi.useRealTimers());

const codeOf = ({ status, body }: Reply) => [status, body.error?.code];

const change = (id: string, json: unknown, account: Account = ada) =>
  call("PATCH", `/api/agent/people/${id}`, { token: account.token, json });
const remove = (id: string, account: Account = ada) =>
  call("DELETE", `/api/agent/people/${id}`, { token: account.token });
const open = async () => (await call("GET", "/api/agent/invitations", { token: ada.token })).body.invitations;

/** From now on no token is an owner: people alone hold the account's keys. */
async function dropOwnerTokens(): Promise<void> {
  await env.DB.prepare("UPDATE user_tokens SET role = 'viewer' WHERE user_id = ?").bind(ada.userId).run();
}

describe("an invitation", () => {
  it("makes whoever follows it a person of the account, once", async () => {
    const { status, body } = await invite(ada, { name: " Bea ", email: "Bea@Example.com", role: "operator" });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: "Bea",
      email: "bea@example.com",
      role: "operator",
      made_by: "default",
      expires_at: "2030-01-14T00:00:00Z",
      url: expect.stringMatching(
        /^https:\/\/dumont\.test\/#\/sign-in\?invited=true&link=[\w-]{43}\.[\w-]{43}$/,
      ),
    });
    const { url, ...listed } = body;
    expect(await open()).toEqual([listed]);
    expect(JSON.stringify(await open())).not.toContain(secretIn(url));
    const signedIn = await follow(secretIn(url));
    expect(signedIn.body).toMatchObject({
      user: { id: ada.userId, name: "Lovelace" },
      role: "operator",
      by: { kind: "person", name: "Bea" },
    });
    expect(await people(ada)).toMatchObject([
      { id: signedIn.body.by.id, name: "Bea", email: "bea@example.com", role: "operator", this: false },
    ]);
    expect(await open()).toEqual([]);
    expect((await follow(secretIn(url))).status).toBe(401);
  });

  it("says by `this` who asks, and when each was last seen", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "viewer" });
    const { body } = await ask(bea, "GET", "/api/agent/people");
    expect(body.people).toMatchObject([{ id: bea.id, this: true, last_seen_at: "2030-01-07T00:00:00Z" }]);
  });

  it("may go by an address alone, which is then the name", async () => {
    expect((await invite(ada, { email: "bea@example.com", role: "viewer" })).body.name).toBe(
      "bea@example.com",
    );
  });

  it.each([
    {},
    { role: "viewer" },
    { name: "Bea", role: "metrics" },
    { name: "Bea", role: "admin" },
    { name: "", role: "viewer" },
    { name: "Bea", email: "bea", role: "viewer" },
    { name: "Bea", role: "viewer", user_id: "u-1" },
  ])("is refused as %j", async (json) => {
    expect(codeOf(await invite(ada, json))).toEqual([400, "invalid"]);
  });

  it("is over after a week, and when it is taken back", async () => {
    const late = await invite(ada, { name: "Late", role: "owner" });
    setClock(DAY + 7 * ONE_DAY);
    expect((await follow(secretIn(late.body.url))).status).toBe(401);
    expect(await open()).toEqual([]);
    const taken = await invite(ada, { name: "Taken", role: "owner" });
    const path = `/api/agent/invitations/${taken.body.id}`;
    expect((await call("DELETE", path, { token: ada.token })).status).toBe(200);
    expect((await call("DELETE", path, { token: ada.token })).status).toBe(404);
    expect((await follow(secretIn(taken.body.url))).status).toBe(401);
    expect(await people(ada)).toEqual([]);
  });

  it("is not made for an address that somebody of the account has", async () => {
    await newMember(ada, { email: "bea@example.com", role: "viewer" });
    const again = await invite(ada, { name: "Another", email: "BEA@example.com", role: "owner" });
    expect(codeOf(again)).toEqual([409, "exists"]);
  });

  it("leaves the address to whoever came first", async () => {
    const two = [
      await invite(ada, { name: "B", email: "bea@example.com", role: "viewer" }),
      await invite(ada, { name: "E", email: "bea@example.com", role: "viewer" }),
    ];
    for (const { body } of two) expect((await follow(secretIn(body.url))).status).toBe(201);
    expect((await people(ada)).map(({ email }) => email).sort()).toEqual(["bea@example.com", null].sort());
  });

  it("is bounded: an account has only so many open ones", async () => {
    for (let made = 0; made < INVITATIONS_PER_ACCOUNT; made++) {
      expect((await invite(ada, { name: `N${made}`, role: "viewer" })).status).toBe(201);
    }
    expect(codeOf(await invite(ada, { name: "One more", role: "viewer" }))).toEqual([409, "too_many"]);
    expect((await invite(await newUser(), { name: "Elsewhere", role: "viewer" })).status).toBe(201);
  });

  it("is nobody else's to see or to take back", async () => {
    const eve = await newUser("Eve");
    const { body } = await invite(ada, { name: "Bea", role: "viewer" });
    const taken = await call("DELETE", `/api/agent/invitations/${body.id}`, { token: eve.token });
    expect(taken.status).toBe(404);
    expect(await open()).toHaveLength(1);
  });
});

describe("a person", () => {
  it("gets another name and role, which count in browsers that are signed in", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "owner" });
    const changed = await change(bea.id, { name: "Beatrice", role: "viewer" });
    expect(changed.body).toMatchObject({ id: bea.id, name: "Beatrice", role: "viewer" });
    const { body } = await ask(bea, "GET", "/api/agent/whoami");
    expect(body).toMatchObject({ role: "viewer", by: { name: "Beatrice" } });
    const [act] = await actsOf(ada, "changePerson");
    expect(act).toMatchObject({ subject: bea.id, detail: { name: "Beatrice", role: "viewer" } });
  });

  it("who is removed is out at once, in every browser and by every link", async () => {
    const bea = await newMember(ada, { name: "Bea", email: "bea@example.com", role: "operator" });
    const link = await linkOf(ada.userId, bea.id);
    expect((await remove(bea.id)).status).toBe(200);
    expect((await ask(bea, "GET", "/api/agent/whoami")).status).toBe(401);
    expect((await follow(link)).status).toBe(401);
    expect(await people(ada)).toEqual([]);
    expect(codeOf(await remove(bea.id))).toEqual([404, "not_found"]);
    expect(codeOf(await change(bea.id, { name: "B" }))).toEqual([404, "not_found"]);
    const row = await env.DB.prepare("SELECT * FROM people WHERE id = ?").bind(bea.id).first();
    expect(row).toMatchObject({ removed_at: DAY, email: null });
    // The address is free again.
    await newMember(ada, { email: "bea@example.com", role: "viewer" });
  });

  it("is nobody else's", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "operator" });
    const eve = await newUser("Eve");
    expect((await change(bea.id, { role: "owner" }, eve)).status).toBe(404);
    expect((await remove(bea.id, eve)).status).toBe(404);
    expect(await people(eve)).toEqual([]);
    expect((await ask(bea, "GET", "/api/agent/whoami")).body.role).toBe("operator");
  });

  it.each([
    {},
    { role: "metrics" },
    { role: "god" },
    { name: " " },
    { email: "b@example.com" },
    { id: "p-1" },
  ])("is not changed by %j", async (json) => {
    const bea = await newMember(ada, { name: "Bea", role: "viewer" });
    expect(codeOf(await change(bea.id, json))).toEqual([400, "invalid"]);
  });
});

describe("the last owner", () => {
  it("is neither removed nor made less, while there is no token of an owner that never ends", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "owner" });
    await dropOwnerTokens();
    expect(codeOf(await ask(bea, "PATCH", `/api/agent/people/${bea.id}`, { role: "viewer" }))).toEqual([
      409,
      "last_owner",
    ]);
    expect(codeOf(await ask(bea, "DELETE", `/api/agent/people/${bea.id}`))).toEqual([409, "last_owner"]);
    expect((await ask(bea, "PATCH", `/api/agent/people/${bea.id}`, { name: "Beatrice" })).status).toBe(200);
  });

  it("may go once there is another one", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "owner" });
    const cid = await newMember(ada, { name: "Cid", role: "owner" });
    await dropOwnerTokens();
    expect((await ask(bea, "DELETE", `/api/agent/people/${bea.id}`)).status).toBe(200);
    expect(codeOf(await ask(cid, "DELETE", `/api/agent/people/${cid.id}`))).toEqual([409, "last_owner"]);
  });

  it("stays when two owners make each other less at once", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "owner" });
    const cid = await newMember(ada, { name: "Cid", role: "owner" });
    await dropOwnerTokens();
    const replies = await Promise.all([
      ask(bea, "PATCH", `/api/agent/people/${cid.id}`, { role: "viewer" }),
      ask(cid, "PATCH", `/api/agent/people/${bea.id}`, { role: "viewer" }),
    ]);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    const owners = await env.DB.prepare(
      "SELECT COUNT(*) AS n FROM people WHERE user_id = ? AND role = 'owner'",
    )
      .bind(ada.userId)
      .first("n");
    expect(owners).toBe(1);
  });

  it("is not a token that ends", async () => {
    const bea = await newMember(ada, { name: "Bea", role: "owner" });
    await env.DB.prepare("UPDATE user_tokens SET expires_at = ? WHERE user_id = ?")
      .bind(DAY + ONE_DAY, ada.userId)
      .run();
    expect(codeOf(await remove(bea.id))).toEqual([409, "last_owner"]);
  });
});

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bindIdentity, byEmail, peopleKnownBy } from "../../../src/accounts/identities.ts";
import { createMailedLink } from "../../../src/accounts/links.ts";
import { call, DAY, newUser, setClock } from "../../world.ts";
import {
  type Account,
  actsOf,
  ask,
  cookieOf,
  follow,
  type Member,
  newMember,
  people,
  SESSION,
  secretIn,
} from "./world.ts";

/** By what the people of an account are known, and how that is disconnected. */

const ISSUER = "https://accounts.example.com";

let ada: Account & { tokenId: string };

/** Each test has people of its own: an identity may stand for somebody in each account. */
let run = 0;
const subjectOf = (name: string) => ({ issuer: ISSUER, subject: `${name}-${run}` });

beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
  run += 1;
});
afterEach(() => vi.useRealTimers());

async function known(name: string, role: string, json: Record<string, unknown> = {}): Promise<Member> {
  const member = await newMember(ada, { name, role, ...json });
  await bindIdentity(env.DB, { userId: ada.userId, personId: member.id }, subjectOf(name), DAY);
  return member;
}

interface Shown {
  readonly name: string;
  readonly identities:
    | readonly { readonly id: string; readonly kind: string; readonly name: string }[]
    | null;
}

async function seenBy(member: Member, name: string): Promise<Shown["identities"]> {
  const { body } = await ask(member, "GET", "/api/agent/people");
  return body.people.find((person: Shown) => person.name === name)?.identities;
}

const disconnect = (by: Member, of: Member, id = "") =>
  ask(by, "DELETE", `/api/agent/people/${of.id}/identities/${id}`);

/** The account has no owner among its tokens any more. */
async function revokeTokens(): Promise<void> {
  await env.DB.prepare("UPDATE user_tokens SET revoked_at = 1 WHERE user_id = ?").bind(ada.userId).run();
}

/** What the person makes is good for as long as the person is an owner. */
async function invitedBy(owner: Member, name: string, role: string): Promise<Member> {
  const { body } = await ask(owner, "POST", "/api/agent/invitations", { name, role });
  const signedIn = await follow(secretIn(body.url));
  return { id: signedIn.body.by.id, cookie: cookieOf(signedIn, SESSION) };
}

describe("what somebody is known by", () => {
  it("is told to owners and to the person, and not who the person is at the provider", async () => {
    const bea = await known("bea", "owner");
    const cid = await known("cid", "viewer");
    const seen = await seenBy(bea, "cid");
    expect(seen).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        kind: "openid",
        name: "accounts.example.com",
        since: expect.any(String),
      },
    ]);
    expect(JSON.stringify(seen)).not.toContain(subjectOf("cid").subject);
    expect(await seenBy(cid, "cid")).toEqual(seen);
    expect(await seenBy(cid, "bea")).toBeNull();
  });

  it("is disconnected by the person and by an owner, and lets nobody in any more", async () => {
    const bea = await known("bea", "owner");
    const cid = await known("cid", "viewer");
    const [own] = (await seenBy(cid, "cid")) ?? [];
    expect((await disconnect(cid, cid, own?.id)).status).toBe(200);
    expect(await peopleKnownBy(env.DB, subjectOf("cid"))).toEqual([]);
    const [act] = await actsOf(ada, "disconnectIdentity");
    expect(act).toMatchObject({
      subject: cid.id,
      who: { name: "cid" },
      detail: { name: "accounts.example.com" },
    });
    const dan = await known("dan", "operator");
    const [dans] = (await seenBy(bea, "dan")) ?? [];
    expect((await disconnect(bea, dan, dans?.id)).status).toBe(200);
    // What is disconnected is no longer there.
    expect((await disconnect(bea, dan, dans?.id)).status).toBe(404);
    // A browser that is signed in stays so.
    expect((await ask(dan, "GET", "/api/agent/whoami")).status).toBe(200);
  });

  it("is nothing for somebody else of the account, nor of another one", async () => {
    const bea = await known("bea", "operator");
    const cid = await known("cid", "viewer");
    const [own] = (await seenBy(bea, "bea")) ?? [];
    expect((await disconnect(cid, bea, own?.id)).status).toBe(403);
    const other = await newUser("Other");
    const path = `/api/agent/people/${bea.id}/identities/${own?.id}`;
    expect((await call("DELETE", path, { token: other.token })).status).toBe(404);
    // Nor is one person's taken for another's.
    expect((await ask(cid, "DELETE", `/api/agent/people/${cid.id}/identities/${own?.id}`)).status).toBe(404);
    expect(await peopleKnownBy(env.DB, subjectOf("bea"))).toHaveLength(1);
  });

  it("is an address to which no link is sent once it is disconnected", async () => {
    const email = `bea-${run}@example.com`;
    const bea = await newMember(ada, { name: "bea", role: "viewer", email });
    await bindIdentity(env.DB, { userId: ada.userId, personId: bea.id }, byEmail(email), DAY);
    const [address] = (await seenBy(bea, "bea")) ?? [];
    expect(address).toMatchObject({ kind: "email", name: email });
    expect((await disconnect(bea, bea, address?.id)).status).toBe(200);
    expect(await people(ada)).toMatchObject([{ name: "bea", email: null }]);
  });

  it("stays the only owner's last one, and no other owner's", async () => {
    const bea = await known("bea", "owner");
    const [only] = (await seenBy(bea, "bea")) ?? [];
    await revokeTokens();
    const refused = await disconnect(bea, bea, only?.id);
    expect([refused.status, refused.body.error.code]).toEqual([409, "last_owner"]);
    expect(await peopleKnownBy(env.DB, subjectOf("bea"))).toHaveLength(1);
    const another = { issuer: ISSUER, subject: `bea-other-${run}` };
    await bindIdentity(env.DB, { userId: ada.userId, personId: bea.id }, another, DAY);
    expect((await disconnect(bea, bea, only?.id)).status).toBe(200);
    const cid = await invitedBy(bea, "cid", "owner");
    const [last] = (await seenBy(bea, "bea")) ?? [];
    // Nothing lets the other one in again either.
    expect((await disconnect(bea, bea, last?.id)).status).toBe(409);
    await bindIdentity(env.DB, { userId: ada.userId, personId: cid.id }, subjectOf("cid"), DAY);
    expect((await disconnect(bea, bea, last?.id)).status).toBe(200);
    const [cids] = (await seenBy(cid, "cid")) ?? [];
    expect((await disconnect(cid, cid, cids?.id)).status).toBe(409);
  });

  it("is not brought back by a link that was sent to the address before", async () => {
    const email = `bea-${run}@example.com`;
    const bea = await newMember(ada, { name: "bea", role: "viewer", email });
    const person = { userId: ada.userId, personId: bea.id };
    await bindIdentity(env.DB, person, byEmail(email), DAY);
    const sent = await createMailedLink(env, { ...person, account: "Lovelace" }, email, DAY);
    const [address] = (await seenBy(bea, "bea")) ?? [];
    expect((await disconnect(bea, bea, address?.id)).status).toBe(200);
    expect((await follow(sent ?? "")).status).toBe(401);
    expect(await peopleKnownBy(env.DB, byEmail(email))).toEqual([]);
    expect(await people(ada)).toMatchObject([{ name: "bea", email: null }]);
  });
});

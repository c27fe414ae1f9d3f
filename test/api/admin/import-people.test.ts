import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AUDIT_KEPT_MS, recordAct } from "../../../src/accounts/audit.ts";
import { bindIdentity, byEmail } from "../../../src/accounts/identities.ts";
import { deleteActsPage } from "../../../src/history/retention.ts";
import { walk } from "../../history/age.ts";
import { ADMIN_TOKEN, call, DAY, newUser, type Reply, setClock } from "../../world.ts";
import { type Account, actsOf, invite, newMember, people } from "../access/world.ts";
import { exportAll, type Line } from "./exported.ts";

/** People of an account, how they are known and what they did: out, in again, and forgotten in the end. */

let ada: Account;

beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
});
afterEach(() => vi.useRealTimers());

const bring = (userId: string, lines: readonly Line[]): Promise<Reply> =>
  call("POST", `/api/admin/users/${userId}/import`, {
    token: ADMIN_TOKEN,
    json: { from_user_id: ada.userId, exported_at: DAY, lines },
  });

const OF_PEOPLE = new Set(["person", "identity", "act"]);
const ofPeople = (lines: readonly Line[]) => lines.filter(({ type }) => OF_PEOPLE.has(type));

/** As a service that knows the account, and nobody in it. */
async function forgetPeople(): Promise<void> {
  for (const table of ["people", "identities", "audit", "sessions"]) {
    await env.DB.prepare(`DELETE FROM ${table} WHERE user_id = ?`).bind(ada.userId).run();
  }
}

describe("an export", () => {
  it("holds who may sign in, how they are known and what they did, and brings it all in again", async () => {
    const bea = await newMember(ada, { name: "Bea", email: "bea@example.com", role: "owner" });
    const cid = await newMember(ada, { name: "Cid", role: "viewer" });
    const known = { userId: ada.userId, personId: bea.id };
    await bindIdentity(env.DB, known, { issuer: "https://accounts.example.com", subject: "bea" }, DAY);
    await bindIdentity(env.DB, known, byEmail("bea@example.com"), DAY);
    await call("DELETE", `/api/agent/people/${cid.id}`, { token: ada.token });
    await actsOf(ada, "removePerson");
    await actsOf(ada, "createInvitation", 2);
    await actsOf(ada, "signIn", 2);
    await actsOf(ada, "createUserToken");
    const lines = ofPeople((await exportAll(ada.userId)).lines);
    const count = (type: string) => lines.filter((line) => line.type === type).length;
    expect([count("person"), count("identity"), count("act")]).toEqual([2, 2, 6]);

    await forgetPeople();
    const { body } = await bring(ada.userId, lines);
    expect(body.refused).toEqual([]);
    expect(await people(ada)).toMatchObject([
      { id: bea.id, name: "Bea", role: "owner", email: "bea@example.com" },
    ]);
    expect(ofPeople((await exportAll(ada.userId)).lines)).toEqual(lines);
    // A second time changes nothing, and nobody who was removed comes back.
    await bring(ada.userId, lines);
    expect(ofPeople((await exportAll(ada.userId)).lines)).toEqual(lines);
  });

  it("does not bring anybody back who was removed here since", async () => {
    const bea = await newMember(ada, { name: "Bea", email: "bea@example.com", role: "owner" });
    await bindIdentity(env.DB, { userId: ada.userId, personId: bea.id }, byEmail("bea@example.com"), DAY);
    const lines = ofPeople((await exportAll(ada.userId)).lines);
    await call("DELETE", `/api/agent/people/${bea.id}`, { token: ada.token });
    await bring(ada.userId, lines);
    expect(await people(ada)).toEqual([]);
    const identities = env.DB.prepare("SELECT COUNT(*) AS n FROM identities WHERE user_id = ?").bind(
      ada.userId,
    );
    expect(await identities.first("n")).toBe(0);
  });

  it("lets nobody into another account", async () => {
    await newMember(ada, { name: "Bea", role: "owner" });
    const lines = ofPeople((await exportAll(ada.userId)).lines);
    const eve = await newUser("Eve");
    expect((await bring(eve.userId, lines)).body.refused).toEqual([]);
    expect(await people(eve)).toEqual([]);
  });

  it("refuses a role that this version does not know: nobody comes in by a guess", async () => {
    const line = {
      type: "person",
      id: "p-1",
      name: "Bea",
      email: null,
      role: "emperor",
      created_at: DAY,
      last_seen_at: null,
      removed_at: null,
    };
    const { body } = await bring(ada.userId, [line]);
    expect(body.refused).toMatchObject([{ message: expect.stringContaining("role") }]);
    expect(await people(ada)).toEqual([]);
  });

  it("holds no invitation: its link must be made anew", async () => {
    await invite(ada, { name: "Bea", role: "owner" });
    expect(JSON.stringify((await exportAll(ada.userId)).lines)).not.toContain("sign_in");
  });
});

describe("what people did", () => {
  it("is deleted after 400 days, of every account, page by page", async () => {
    const accounts = [ada, await newUser("Babbage"), await newUser("Curie")];
    const act = {
      sort: "machine",
      who: { kind: "operator" },
      act: "wake",
      subject: null,
      detail: {},
    } as const;
    for (const { userId } of accounts) {
      for (let n = 0; n < 3; n++)
        await recordAct(env.DB, userId, { ...act, at: DAY - AUDIT_KEPT_MS - 1 - n }, 1);
      await recordAct(env.DB, userId, { ...act, at: DAY - AUDIT_KEPT_MS }, 1);
    }
    const { rows } = await walk((from) => deleteActsPage(env.DB, from, DAY - AUDIT_KEPT_MS));
    expect(rows).toBe(9);
    for (const { userId } of accounts) {
      const kept = env.DB.prepare("SELECT COUNT(*) AS n FROM audit WHERE user_id = ? AND act = 'wake'").bind(
        userId,
      );
      expect(await kept.first("n")).toBe(1);
    }
  });
});

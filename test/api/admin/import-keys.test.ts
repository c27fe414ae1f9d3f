import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bindIdentity, peopleKnownBy } from "../../../src/accounts/identities.ts";
import { ADMIN_TOKEN, call, DAY, newUser, setClock } from "../../world.ts";
import { type Account, newMember } from "../access/world.ts";
import { exportAll, type Line } from "./exported.ts";

/** An old export must not give back what its account has taken back since. */

let ada: Account;

beforeEach(async () => {
  setClock(DAY);
  ada = await newUser("Lovelace");
});
afterEach(() => vi.useRealTimers());

async function bring(
  lines: readonly Line[],
  exportedAt = DAY,
): Promise<{ refused: readonly { message: string }[] }> {
  const { body } = await call("POST", `/api/admin/users/${ada.userId}/import`, {
    token: ADMIN_TOKEN,
    json: { from_user_id: ada.userId, exported_at: exportedAt, lines },
  });
  return body;
}

async function newToken(name: string): Promise<{ id: string; token: string }> {
  const json = { name, role: "viewer", expires_in_days: null };
  return (await call("POST", "/api/agent/tokens", { token: ada.token, json })).body;
}

async function revoke(id: string): Promise<void> {
  expect((await call("DELETE", `/api/agent/tokens/${id}`, { token: ada.token })).status).toBe(200);
}

const whoAmI = async (token: string) => (await call("GET", "/api/agent/whoami", { token })).status;

const HOUR = 3_600_000;

/** So many revoked ones are kept of an account. */
const KEPT = 50;

/** Revokes so many later ones that no record is left of what was revoked before. */
async function pushOut(): Promise<void> {
  for (let count = 0; count <= KEPT; count++) {
    setClock(DAY + HOUR + count);
    await revoke((await newToken(`later ${count}`)).id);
  }
  await newToken("last");
}

describe("an import of an old export", () => {
  it("leaves a token revoked that was revoked since", async () => {
    const lost = await newToken("lost laptop");
    const lines = (await exportAll(ada.userId)).lines;
    await revoke(lost.id);
    expect((await bring(lines)).refused).toEqual([]);
    expect(await whoAmI(lost.token)).toBe(401);
  });

  it("leaves it revoked also where so many were revoked that no record of it is left", async () => {
    const lost = await newToken("lost laptop");
    const lines = (await exportAll(ada.userId)).lines;
    await revoke(lost.id);
    await pushOut();
    const { refused } = await bring(lines.filter(({ id }) => id === lost.id));
    expect(refused).toMatchObject([{ message: "it was revoked since the export, or it ended" }]);
    expect(await whoAmI(lost.token)).toBe(401);
  });

  it("is no matter for an export that was made after all that was forgotten", async () => {
    await pushOut();
    setClock(DAY + 2 * HOUR);
    const kept = await newToken("kept");
    const lines = (await exportAll(ada.userId)).lines;
    // As a service that lost the row.
    await env.DB.prepare("DELETE FROM user_tokens WHERE id = ?").bind(kept.id).run();
    expect(await whoAmI(kept.token)).toBe(401);
    expect(
      (
        await bring(
          lines.filter(({ id }) => id === kept.id),
          DAY + 2 * HOUR,
        )
      ).refused,
    ).toEqual([]);
    expect(await whoAmI(kept.token)).toBe(200);
  });

  it("leaves an enrollment token revoked that was revoked since", async () => {
    const json = { name: "lab", uses: 5, expires_in_days: 1 };
    const made = await call("POST", "/api/agent/enrollments", { token: ada.token, json });
    expect(made.status).toBe(201);
    const { id } = made.body;
    const lines = (await exportAll(ada.userId)).lines.filter(({ type }) => type === "enrollment");
    expect(lines).toMatchObject([{ id }]);
    await call("DELETE", `/api/agent/enrollments/${id}`, { token: ada.token });
    expect((await bring(lines)).refused).toMatchObject([
      { message: "it was revoked since the export, or it ended" },
    ]);
    const { body } = await call("GET", "/api/agent/enrollments", { token: ada.token });
    expect(body.enrollments).toEqual([]);
  });

  it("leaves a way to sign in disconnected that was disconnected since", async () => {
    const { id } = await newMember(ada, { name: "Bea", role: "operator" });
    const identity = { issuer: "https://accounts.example.com", subject: `bea of ${ada.userId}` };
    await bindIdentity(env.DB, { userId: ada.userId, personId: id }, identity, DAY);
    const lines = (await exportAll(ada.userId)).lines.filter(({ type }) => type === "identity");
    expect(lines).toHaveLength(1);
    const [bea] = (await call("GET", "/api/agent/people", { token: ada.token })).body.people;
    const path = `/api/agent/people/${id}/identities/${bea.identities[0].id}`;
    expect((await call("DELETE", path, { token: ada.token })).status).toBe(200);
    expect((await bring(lines)).refused).toMatchObject([
      { message: "it was revoked since the export, or it ended" },
    ]);
    expect(await peopleKnownBy(env.DB, identity)).toEqual([]);
    // An export from after that is another matter.
    await bindIdentity(env.DB, { userId: ada.userId, personId: id }, identity, DAY);
    expect((await bring(lines)).refused).toEqual([]);
    await env.DB.prepare("DELETE FROM identities WHERE user_id = ?").bind(ada.userId).run();
    expect((await bring(lines, DAY + HOUR)).refused).toEqual([]);
    expect(await peopleKnownBy(env.DB, identity)).toHaveLength(1);
  });

  it("carries on what an account has forgotten, so that no service takes an older export for good", async () => {
    const lost = await newToken("lost laptop");
    const old = (await exportAll(ada.userId)).lines;
    await revoke(lost.id);
    await pushOut();
    const newer = (await exportAll(ada.userId)).lines;
    await env.DB.batch(
      ["DELETE FROM user_tokens WHERE user_id = ?", "DELETE FROM users WHERE id = ?"].map((sql) =>
        env.DB.prepare(sql).bind(ada.userId),
      ),
    );
    await bring(
      newer.filter(({ type }) => type === "user" || type === "token"),
      DAY + 2 * HOUR,
    );
    await bring(old.filter(({ id }) => id === lost.id));
    expect(await whoAmI(lost.token)).toBe(401);
    expect(await whoAmI(ada.token)).toBe(200);
  });
});

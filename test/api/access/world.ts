import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { issueSecret } from "../../../src/accounts/secrets.ts";
import { call, type Reply } from "../../world.ts";

/** Browsers and people of an account, as its tests need them. */

export const OWN_PAGE = { Origin: "https://dumont.test", "Content-Type": "application/json" };
export const SESSION = "__Host-dumont_session";

export interface Account {
  readonly userId: string;
  readonly token: string;
}

/** What an answer sets, as the browser sends it back; empty where it sets no such cookie. */
export function cookieOf({ headers }: Reply, name: string): string {
  const cookies = headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  return cookies.find((cookie) => cookie.startsWith(`${name}=`) && !cookie.endsWith("=")) ?? "";
}

export const secretIn = (url: string) => url.split("link=")[1] ?? "";

export const invite = (account: Account, json: Record<string, unknown>): Promise<Reply> =>
  call("POST", "/api/agent/invitations", { token: account.token, json });

export const follow = (secret: string): Promise<Reply> =>
  call("POST", "/api/session", { headers: OWN_PAGE, json: { link: secret } });

export interface Member {
  readonly id: string;
  readonly cookie: string;
}

/** Somebody who was invited, and came. */
export async function newMember(account: Account, json: Record<string, unknown>): Promise<Member> {
  const { status, body } = await invite(account, json);
  expect(status).toBe(201);
  const signedIn = await follow(secretIn(body.url));
  expect(signedIn.status).toBe(201);
  return { id: signedIn.body.by.id, cookie: cookieOf(signedIn, SESSION) };
}

/** A request of a browser that is signed in. */
export const ask = ({ cookie }: Member, method: string, path: string, json?: unknown): Promise<Reply> =>
  call(method, path, { headers: { ...OWN_PAGE, Cookie: cookie }, ...(json === undefined ? {} : { json }) });

export async function people(
  account: Account,
): Promise<{ id: string; name: string; email: string | null; role: string }[]> {
  return (await call("GET", "/api/agent/people", { token: account.token })).body.people;
}

interface WrittenAct {
  readonly act: string;
  readonly subject: string | null;
  readonly who: { readonly kind: string; readonly name: string | null };
  readonly detail: Record<string, unknown>;
}

/** The acts of the account, once there are so many of this operation. */
export async function actsOf(account: Account, act: string, count = 1): Promise<WrittenAct[]> {
  return vi.waitFor(
    async () => {
      const { body } = await call("GET", "/api/agent/audit?limit=1000", { token: account.token });
      const found = body.acts.filter((each: WrittenAct) => each.act === act);
      if (found.length < count) throw new Error(`${found.length} of ${act}`);
      return found;
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** A link of a person, as the operator makes it. */
export async function linkOf(userId: string, personId: string): Promise<string> {
  const { secret, digest } = await issueSecret(env.TOKEN_KEY, "link");
  await env.DB.prepare(
    `INSERT INTO sign_in_links (digest, id, user_id, person_id, made_by, made_by_kind, created_at, expires_at)
     VALUES (?, ?, ?, ?, 'operator', 'operator', ?, ?)`,
  )
    .bind(digest, `l-${crypto.randomUUID()}`, userId, personId, Date.now(), Date.now() + 3_600_000)
    .run();
  return secret;
}

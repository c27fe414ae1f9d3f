import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addresseesOf } from "../../../src/accounts/links.ts";
import { createRouter } from "../../../src/router.ts";
import { expectLogged } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, newUser, setClock } from "../../world.ts";
import { type Account, follow, newMember, people } from "./world.ts";

/** A link to sign in with, by e-mail. */

const MINUTE = 60_000;
const ORIGIN = "https://dumont.test";

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const router = createRouter();
let mails: Mail[];
let ada: Account;
let run = 0;
let address = "";

beforeEach(async () => {
  setClock(DAY);
  mails = [];
  run += 1;
  address = `bea-${run}@example.com`;
  ada = await newUser("Lovelace & Co");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const send = async (mail: Mail) => {
  mails.push(mail);
  return { messageId: "m-1" };
};

/** Asks for a link, of a service that can send e-mail, and waits until it has done what it does after its answer. */
async function askFor(email: unknown, more: { headers?: Record<string, string>; env?: object } = {}) {
  const context = createExecutionContext();
  const request = new Request(`${ORIGIN}/api/session/links`, {
    method: "POST",
    headers: { Origin: ORIGIN, "Content-Type": "application/json", ...more.headers },
    body: JSON.stringify({ email }),
  });
  const mailing = { ...env, MAIL_FROM: "dumont@example.com", EMAIL: { send }, ...more.env };
  const response = await router.fetch(request, mailing, context);
  const body = await response.json();
  await waitOnExecutionContext(context);
  return { status: response.status, body };
}

const linksIn = ({ text }: Mail) =>
  [...text.matchAll(/#\/sign-in\?link=(\S+)/g)].map(([, link]) => link ?? "");

describe("a link by e-mail", () => {
  it("is sent to a person, who signs in with it once", async () => {
    const bea = await newMember(ada, { name: "Bea", email: address, role: "operator" });
    expect(await askFor(address.toUpperCase())).toEqual({ status: 202, body: { success: true } });
    const [mail, ...others] = mails;
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ to: address, subject: "[Dumont] Sign in · Entrar" });
    const [link = ""] = linksIn(mail ?? { to: "", subject: "", text: "", html: "" });
    expect(mail?.html).toContain(`<a href="${ORIGIN}/#/sign-in?link=${link}">`);
    expect((await follow(link)).body.by.id).toBe(bea.id);
    expect((await follow(link)).status).toBe(401);
  });

  it("proves that the address is the person's, and only then names the account", async () => {
    await newMember(ada, { name: "Bea", email: address, role: "operator" });
    await askFor(address);
    expect(mails[0]?.text).not.toContain("Lovelace");
    expect(await addresseesOf(env.DB, address)).toMatchObject([{ account: null }]);
    await follow(linksIn(mails[0] ?? expect.fail())[0] ?? "");
    expect(await addresseesOf(env.DB, address)).toMatchObject([{ account: "Lovelace & Co" }]);
    const other = await newUser("<Babbage>");
    await newMember(other, { name: "Trap", email: address, role: "owner" });
    await askFor(address);
    // The account that is known comes first, and the other one can't write what it likes.
    expect(mails[1]?.text).toMatch(/Lovelace & Co:\n.*\n\nan account that invites you/);
    expect(mails[1]?.html).toContain("Lovelace &amp; Co");
    expect(mails[1]?.text).not.toContain("Babbage");
    expect(linksIn(mails[1] ?? expect.fail())).toHaveLength(2);
  });

  it("is over after a quarter of an hour", async () => {
    await newMember(ada, { name: "Bea", email: address, role: "operator" });
    await askFor(address);
    setClock(DAY + 15 * MINUTE);
    expect((await follow(linksIn(mails[0] ?? expect.fail())[0] ?? "")).status).toBe(401);
  });

  it("is answered in the same way for whoever is nobody's person, and nothing is sent", async () => {
    await newMember(ada, { name: "Bea", email: address, role: "operator" });
    const { userId } = ada;
    const same = { status: 202, body: { success: true } };
    expect(await askFor("nobody@example.com")).toEqual(same);
    await call("POST", `/api/admin/users/${userId}/suspend`, { token: ADMIN_TOKEN });
    expect(await askFor(address)).toEqual(same);
    await call("POST", `/api/admin/users/${userId}/resume`, { token: ADMIN_TOKEN });
    const [bea] = await people(ada);
    await call("DELETE", `/api/agent/people/${bea?.id}`, { token: ada.token });
    expect(await askFor(address)).toEqual(same);
    expect(await askFor(address, { env: { MAIL_FROM: "" } })).toEqual(same);
    expect(mails).toEqual([]);
  });

  it("is sent three times in a quarter of an hour, and ten times a day", async () => {
    await newMember(ada, { name: "Bea", email: address, role: "operator" });
    for (let asked = 0; asked < 5; asked++) await askFor(address);
    expect(mails).toHaveLength(3);
    for (let quarter = 1; quarter < 6; quarter++) {
      setClock(DAY + quarter * 16 * MINUTE);
      for (let asked = 0; asked < 5; asked++) await askFor(address);
    }
    expect(mails).toHaveLength(10);
    setClock(DAY + 25 * 60 * MINUTE);
    await askFor(address);
    expect(mails).toHaveLength(11);
  });

  it("is sent no oftener to an address that one person after the other has", async () => {
    for (let person = 0; person < 4; person++) {
      const { id } = await newMember(ada, { name: "Bea", email: address, role: "viewer" });
      for (let asked = 0; asked < 3; asked++) await askFor(address);
      expect((await call("DELETE", `/api/agent/people/${id}`, { token: ada.token })).status).toBe(200);
    }
    expect(mails).toHaveLength(3);
    for (const mail of mails) expect((await follow(linksIn(mail)[0] ?? "")).status).toBe(401);
  });

  it("is sent to fifty addresses a day of which nobody has shown that they are theirs", async () => {
    await newMember(ada, { name: "Bea", email: address, role: "operator" });
    await askFor(address);
    await follow(linksIn(mails[0] ?? expect.fail())[0] ?? "");
    const strangers = Array.from({ length: 55 }, (_, n) => `stranger-${run}-${n}@example.com`);
    await env.DB.batch(
      strangers.map((email) =>
        env.DB.prepare(
          "INSERT INTO people (id, user_id, name, email, role, created_at) VALUES (?, ?, 'X', ?, 'viewer', ?)",
        ).bind(`p-${email}`, ada.userId, email, DAY),
      ),
    );
    for (const email of strangers) await askFor(email);
    expect(mails).toHaveLength(51);
    await askFor(address);
    expect(mails.at(-1)).toMatchObject({ to: address });
    setClock(DAY + 25 * 60 * MINUTE);
    await askFor(strangers.at(-1));
    expect(mails.at(-1)).toMatchObject({ to: strangers.at(-1) });
  });

  it("that could not be sent is logged without its address, and told to nobody", async () => {
    expectLogged(/a link to sign in with was not sent(?!.*example\.com)/);
    await newMember(ada, { name: "Bea", email: address, role: "operator" });
    const broken = { send: () => Promise.reject(new Error(`no such mailbox: ${address}`)) };
    expect(await askFor(address, { env: { EMAIL: broken } })).toEqual({
      status: 202,
      body: { success: true },
    });
  });

  it("is asked for by the service's own page, and by no other", async () => {
    const foreign = await askFor(address, { headers: { Origin: "https://evil.example" } });
    expect(foreign.status).toBe(403);
    const asForm = await askFor(address, { headers: { "Content-Type": "text/plain" } });
    expect(asForm.status).toBe(400);
    for (const email of [
      "bea",
      1,
      null,
      "",
      `${"x".repeat(250)}@example.com`,
      "a@example.com\r\nBcc: b@example.com",
    ]) {
      expect((await askFor(email)).status).toBe(400);
    }
    expect(mails).toEqual([]);
  });
});

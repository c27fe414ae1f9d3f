import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WorkerMailer } from "worker-mailer";
import { email } from "../../src/alerts/channels/email.ts";

/** A mail server that takes its time. */

const SECOND = 1_000;

const server = { connectMs: 0, sendMs: 0, closeMs: 0 };

let begun: string[] = [];

const take = (what: string, ms: number) => {
  begun.push(what);
  return new Promise<void>((resolve) => setTimeout(resolve, ms));
};

const channel = email(
  { to: "ada@example.com" },
  { ...env, MAIL_FROM: "alerts@example.com", SMTP_HOST: "mail.example.com", SMTP_PORT: "465" },
);

beforeEach(() => {
  Object.assign(server, { connectMs: 0, sendMs: 0, closeMs: 0 });
  begun = [];
  vi.spyOn(WorkerMailer, "connect").mockImplementation(async () => {
    await take("connect", server.connectMs);
    return Object.assign(Object.create(null), {
      send: () => take("send", server.sendMs),
      close: () => take("close", server.closeMs),
    });
  });
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function sendWithin(limitMs: number) {
  const sent = channel.send(
    { title: "Rig", severity: "warning", groups: [] },
    { origin: "https://dumont.example", keepAlive: new Map() },
    "m",
  );
  await vi.advanceTimersByTimeAsync(limitMs);
  return Promise.race([sent, Promise.resolve("still waiting")]);
}

it("has sent a message once the server has taken it, however long the parting takes", async () => {
  server.closeMs = 60 * SECOND;
  expect(await sendWithin(SECOND)).toMatchObject({ delivered: true, detail: "taken by mail.example.com" });
  expect(begun).toEqual(["connect", "send", "close"]);
});

it("gives the whole conversation less time than a fleet waits for it", async () => {
  Object.assign(server, { connectMs: 8 * SECOND, sendMs: 30 * SECOND });
  expect(await sendWithin(16 * SECOND)).toMatchObject({ delivered: false, mayPass: true });
});

it("sends nothing once it has given up", async () => {
  server.connectMs = 18 * SECOND;
  expect(await sendWithin(16 * SECOND)).toMatchObject({ delivered: false, mayPass: true });
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  expect(begun).toEqual(["connect", "close"]);
});

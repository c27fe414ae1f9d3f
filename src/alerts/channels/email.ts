import { html, raw } from "hono/html";
import { type EmailOptions, WorkerMailer } from "worker-mailer";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { readSettings, type Vars } from "../../platform/settings.ts";
import { within } from "../../platform/within.ts";
import type { Notice } from "../notice.ts";
import {
  type Channel,
  type Delivery,
  delivered,
  type Links,
  unreachable,
  withoutSecrets,
} from "./channel.ts";
import { alertsUrl, itemsOf, labelsOf } from "./items.ts";

/**
 * E-mail: by the operator's SMTP server where one is configured, else by Cloudflare's `send_email` binding
 * (https://developers.cloudflare.com/email-service/).
 */

type MailEnv = Vars & Pick<Env, "EMAIL" | "SMTP_USERNAME" | "SMTP_PASSWORD">;

/** The whole conversation with a server ends within this, like a call to any other channel (`outbound/call.ts`). */
const CONVERSATION_LIMIT_MS = 15 * SECOND_MS;

/** With TLS from the first byte; on any other port the connection is upgraded where the server offers it. */
const SMTPS_PORT = 465;

export function email(settings: { readonly to: string }, env: MailEnv): Channel {
  return {
    send: async (notice, links) =>
      sendMail(env, {
        to: settings.to,
        subject: `[Dumont] ${oneLine(notice.title)}`.slice(0, 200),
        text: textOf(notice, links),
        html: (await htmlOf(notice, links)).toString(),
      }),
  };
}

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Never throws. */
export async function sendMail(env: MailEnv, mail: Mail): Promise<Delivery> {
  const { MAIL_FROM: from, SMTP_HOST: host } = readSettings(env);
  if (from === "") {
    return { ...unreachable("this service has no sender address: MAIL_FROM is not set"), mayPass: false };
  }
  const message = { from, ...mail };
  try {
    if (host === "") {
      const { messageId } = await within(CONVERSATION_LIMIT_MS, env.EMAIL.send(message));
      return delivered(`taken as ${messageId}`);
    }
    await within(CONVERSATION_LIMIT_MS, sendBySmtp(env, message));
    return delivered(`taken by ${host}`);
  } catch (error) {
    return withoutSecrets(unreachable(error), [env.SMTP_PASSWORD ?? ""]);
  }
}

/** Returns when the server has taken the message: the parting changes nothing, so nobody waits for it. */
async function sendBySmtp(env: MailEnv, message: EmailOptions): Promise<void> {
  const until = Date.now() + CONVERSATION_LIMIT_MS;
  const mailer = await WorkerMailer.connect(smtpOptions(env));
  try {
    // The message counts as not sent by now, and will be sent again.
    if (Date.now() >= until) throw new Error("the mail server was too slow");
    await mailer.send(message);
  } finally {
    void mailer.close();
  }
}

function smtpOptions(env: MailEnv) {
  const { SMTP_HOST: host, SMTP_PORT: port } = readSettings(env);
  const { SMTP_USERNAME: username, SMTP_PASSWORD: password } = env;
  return {
    host,
    port,
    secure: port === SMTPS_PORT,
    startTls: port !== SMTPS_PORT,
    ...(username === undefined || password === undefined
      ? {}
      : { credentials: { username, password }, authType: ["plain" as const, "login" as const] }),
    socketTimeoutMs: CONVERSATION_LIMIT_MS,
    responseTimeoutMs: CONVERSATION_LIMIT_MS,
  };
}

function textOf(notice: Notice, links: Links): string {
  const { keepAlive, moreOf, openAlerts } = labelsOf(notice);
  const groups = notice.groups.map((group) =>
    [
      group.heading,
      ...itemsOf(group, links).map(({ who, message, money, keepAliveUrl }) =>
        [
          `- ${who === null ? "" : `${who.name} (${who.instanceId}): `}${message}`,
          ...(money === null ? [] : [money]),
          ...(who === null ? [] : [who.url]),
          ...(keepAliveUrl === null ? [] : [`${keepAlive}: ${keepAliveUrl}`]),
        ].join("\n  "),
      ),
      ...(group.more === 0 ? [] : [`- ${moreOf(group.more)}`]),
    ].join("\n"),
  );
  return [...groups, `${openAlerts}: ${alertsUrl(links)}`].join("\n\n");
}

function htmlOf(notice: Notice, links: Links) {
  const { keepAlive, moreOf, openAlerts } = labelsOf(notice);
  return html`<!doctype html><html lang="${notice.language ?? "en"}"><meta charset="utf-8"><body>${notice.groups.map(
    (group) =>
      html`<h3>${group.heading}</h3><ul>${itemsOf(group, links).map(
        ({ who, message, money, keepAliveUrl }) => {
          const told =
            who === null ? "" : html`<b><a href="${who.url}">${who.name}</a></b> (${who.instanceId}): `;
          const costs = money === null ? "" : html`<br><i>${money}</i>`;
          return html`<li>${told}${message}${costs}${keepAliveUrl === null ? "" : html` <a href="${keepAliveUrl}">${keepAlive}</a>`}</li>`;
        },
      )}${group.more === 0 ? "" : html`<li>${moreOf(group.more)}</li>`}</ul>`,
  )}<p><a href="${alertsUrl(links)}">${openAlerts}</a></p>${raw("</body></html>")}`;
}

/** A subject is one line: whatever an instance's name holds must not begin another header. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

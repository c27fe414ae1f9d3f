import { html } from "hono/html";
import { z } from "zod";
import { type Addressee, addresseesOf, createMailedLink } from "../../accounts/links.ts";
import { emailSchema } from "../../accounts/people.ts";
import { sendMail } from "../../alerts/channels/email.ts";
import { slowDownGuessing } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonBody, successResponse } from "../../http/openapi.ts";
import { demandPrivacy, refuseOtherPages } from "../../http/session-cookie.ts";
import { logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { signInUrl } from "../admin/sign-in-link.ts";

/** A link to sign in with, by e-mail. Whether anybody has the address is told to the address alone. */

const requestSchema = component("MailSignInLinkRequest", z.strictObject({ email: emailSchema }));

export class MailSignInLink extends Endpoint {
  override schema = {
    operationId: "mailSignInLink",
    tags: ["Access"],
    summary: "Have a link sent to sign in with",
    description:
      "The answer is always the same. If the address is a person's, and the service can send e-mail, a link is sent there: it works once, within 15 minutes. Three within that time, and ten a day.",
    request: { body: jsonBody(requestSchema, { email: "bea@example.com" }) },
    responses: {
      202: successResponse("Asked for"),
      ...errorResponses(400, 403, 413, 429),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    demandPrivacy(c);
    refuseOtherPages(c);
    await slowDownGuessing(c);
    const { body } = await this.getValidatedData<typeof this.schema>();
    // After the answer: how long it takes would tell what the answer does not.
    c.executionCtx.waitUntil(
      mailLinks(c, body.email).catch((error) => logWarning("a link to sign in with was not sent", {}, error)),
    );
    return c.json({ success: true }, 202);
  }
}

async function mailLinks(c: ApiContext, email: string): Promise<void> {
  const { env } = c;
  if (readSettings(env).MAIL_FROM === "") return;
  const links: Link[] = [];
  for (const addressee of await addresseesOf(env.DB, email)) {
    const secret = await createMailedLink(env, addressee, email, Date.now());
    if (secret !== null) links.push({ account: addressee.account, url: signInUrl(c, secret) });
  }
  if (links.length === 0) return;
  const { delivered, detail } = await sendMail(env, await messageTo(email, links));
  if (!delivered) logWarning("a link to sign in with was not sent", { detail });
}

interface Link {
  readonly account: Addressee["account"];
  readonly url: string;
}

/**
 * In both languages, since nobody knows the reader's. The name of an account stands there only once the reader was in it: else
 * anybody could be mailed anything.
 */
async function messageTo(to: string, links: readonly Link[]) {
  const english =
    "Open this link to sign in to the Dumont Agent System. It works once, within 15 minutes. If you have not asked for it, do nothing.";
  const portuguese =
    "Abra este link para entrar no Dumont Agent System. Ele funciona uma vez, em até 15 minutos. Se você não o pediu, não faça nada.";
  const nameOf = ({ account }: Link) => account ?? "an account that invites you · uma conta que convida você";
  const isOne = links.length === 1 && links[0]?.account != null;
  return {
    to,
    subject: "[Dumont] Sign in · Entrar",
    text: `${english}\n\n${portuguese}\n\n${links
      .map((link) => (isOne ? link.url : `${nameOf(link)}:\n${link.url}`))
      .join("\n\n")}\n`,
    html: (
      await html`<!doctype html><meta charset="utf-8"><body><p>${english}</p><p lang="pt-BR">${portuguese}</p>${links.map(
        (link) => html`<p>${isOne ? "" : html`${nameOf(link)}: `}<a href="${link.url}">${link.url}</a></p>`,
      )}</body>`
    ).toString(),
  };
}

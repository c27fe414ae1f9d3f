import { html } from "hono/html";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { UNAVAILABLE_MESSAGE, UNREADABLE_MESSAGE } from "../http/errors.ts";
import { htmlResponse, type Language, languageOf, linkParams, readLink, secretPage } from "../http/page.ts";
import { isUnreadable } from "../instance/outcomes.ts";
import { spokenDollars } from "../lifecycle/model/dollars.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { actorOf } from "../platform/address.ts";

/**
 * The page behind the link in an alert. It needs no sign-in, and works once, for one registration of an instance.
 * Opening it changes nothing, since previews of messages open links. Its button does.
 */

const responses = {
  200: htmlResponse("The page"),
  409: htmlResponse("Not possible any more: the page says why"),
  410: htmlResponse("The link is over, or not one of this service"),
  503: htmlResponse("Not possible right now"),
};

export class GetKeepAlivePage extends Endpoint {
  override schema = {
    operationId: "openKeepAliveLink",
    tags: ["Commands"],
    summary: "Open the link of an alert: a page with a button",
    request: { params: linkParams },
    responses,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const link = await linkOf(c);
    if (link === null) return expired(c);
    const instance = await actorOf(c.env, link.sub, link.instance).detail();
    if (instance === null) return expired(c);
    if (isUnreadable(instance)) return notNow(c, UNREADABLE_MESSAGE);
    if (instance.registered_at !== toIso(link.registered_at)) return expired(c);
    return secretPage(
      c,
      200,
      `Keep ${instance.name} alive?`,
      html`<p><b>${instance.name}</b> (${instance.instance_id}) is ${instance.status}. ${instance.lifecycle.because}.${costs(instance.running_cost)}</p>
<form method="post"><button>Keep it alive</button></form>`,
    );
  }
}

export class PostKeepAlivePage extends Endpoint {
  override schema = {
    operationId: "useKeepAliveLink",
    tags: ["Commands"],
    summary: "Keep the instance of an alert alive, once",
    request: { params: linkParams },
    responses,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const link = await linkOf(c);
    if (link === null) return expired(c);
    const kept = await actorOf(c.env, link.sub, link.instance).useLink(
      { id: link.jti, expiresAt: link.exp * 1000, registeredAt: link.registered_at },
      c.var.requestId,
    );
    switch (kept.outcome) {
      case "accepted":
        return secretPage(
          c,
          200,
          "Kept alive",
          html`<p>${link.instance} is kept alive for ${kept.validForMinutes} minutes.</p>`,
        );
      case "used":
        return secretPage(c, 410, "Used already", html`<p>This link was used before. It works once.</p>`);
      case "refused":
        return secretPage(c, 409, "Not possible", html`<p>${kept.refusal.message}.</p>`);
      case "unknown":
        return expired(c);
      case "unreadable":
        return notNow(c, UNREADABLE_MESSAGE);
      case "unavailable":
        return notNow(c, UNAVAILABLE_MESSAGE);
    }
  }
}

function costs(anHour: number | null): string {
  return anHour === null ? "" : ` It costs ${spokenDollars(anHour)} an hour.`;
}

async function linkOf(c: ApiContext) {
  const claims = await readLink(c);
  return claims?.scope === "keep_alive" ? claims : null;
}

const OVER: Readonly<Record<Language, { readonly title: string; readonly explanation: string }>> = {
  en: {
    title: "This link is over",
    explanation: "It is too old, or its instance is not watched any more, or it was never one of ours.",
  },
  "pt-BR": {
    title: "Este link não vale mais",
    explanation: "Ele é antigo demais, ou a instância não é mais monitorada, ou nunca foi nosso.",
  },
};

function expired(c: ApiContext): Response | Promise<Response> {
  const language = languageOf(c);
  const { title, explanation } = OVER[language];
  return secretPage(c, 410, title, html`<p>${explanation}</p>`, language);
}

function notNow(c: ApiContext, message: string): Response | Promise<Response> {
  c.header("Retry-After", "60");
  return secretPage(c, 503, "Not possible right now", html`<p>${message}.</p>`);
}

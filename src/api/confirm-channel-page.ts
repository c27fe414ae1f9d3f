import { html } from "hono/html";
import { listChannels } from "../alerts/channels/registry.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { languageOf } from "../http/language.ts";
import { htmlResponse, linkParams, readLink, secretPage } from "../http/page.ts";
import type { Language } from "../lifecycle/model/words/said.ts";
import { fleetOf } from "../platform/address.ts";

/**
 * The page behind the link by which the owner of an e-mail address agrees to be told. It needs no sign-in. Opening it changes
 * nothing, since previews of messages open links. Its button does.
 */

const responses = {
  200: htmlResponse("The page"),
  410: htmlResponse("The link is over, or not one of this service"),
};

interface Words {
  readonly question: string;
  readonly explanation: (name: string) => string;
  readonly ignore: string;
  readonly button: string;
  readonly done: string;
  readonly doneExplanation: string;
  readonly over: string;
  readonly overExplanation: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    question: "Receive alerts at this address?",
    explanation: (name) =>
      `A user of the Dumont Agent System wants alerts about rented machines to be sent here, by the channel “${name}”.`,
    ignore: "If you do not know of this, close the page: nothing will be sent.",
    button: "Yes, send alerts here",
    done: "Confirmed",
    doneExplanation: "Alerts will be sent to this address from now on.",
    over: "This link is over",
    overExplanation: "It is too old, or its channel or its user was deleted, or it was never one of ours.",
  },
  "pt-BR": {
    question: "Receber alertas neste endereço?",
    explanation: (name) =>
      `Um usuário do Dumont Agent System quer que alertas sobre máquinas alugadas sejam enviados para cá, pelo canal “${name}”.`,
    ignore: "Se você não sabe do que se trata, feche a página: nada será enviado.",
    button: "Sim, enviar alertas para cá",
    done: "Confirmado",
    doneExplanation: "A partir de agora os alertas são enviados para este endereço.",
    over: "Este link não vale mais",
    overExplanation: "Ele é antigo demais, ou o canal ou o usuário foi excluído, ou nunca foi nosso.",
  },
};

export class GetConfirmChannelPage extends Endpoint {
  override schema = {
    operationId: "openConfirmationLink",
    tags: ["Channels"],
    summary: "Open the link that confirms an e-mail channel: a page with a button",
    request: { params: linkParams },
    responses,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const link = await linkOf(c);
    const channel = link && (await listChannels(c.env, link.sub)).find(({ id }) => id === link.channel);
    if (channel == null) return over(c);
    if (channel.confirmed) return done(c);
    const language = languageOf(c);
    const { question, explanation, ignore, button } = WORDS[language];
    return secretPage(
      c,
      200,
      question,
      html`<p>${explanation(channel.name)}</p><form method="post"><button>${button}</button></form><p>${ignore}</p>`,
      language,
    );
  }
}

export class PostConfirmChannelPage extends Endpoint {
  override schema = {
    operationId: "useConfirmationLink",
    tags: ["Channels"],
    summary: "Confirm an e-mail channel",
    request: { params: linkParams },
    responses,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const link = await linkOf(c);
    if (link === null || !(await fleetOf(c.env, link.sub).confirmChannel(link.channel))) return over(c);
    return done(c);
  }
}

async function linkOf(c: ApiContext) {
  const claims = await readLink(c);
  return claims?.scope === "confirm_channel" ? claims : null;
}

function over(c: ApiContext): Response | Promise<Response> {
  const language = languageOf(c);
  const words = WORDS[language];
  return secretPage(c, 410, words.over, html`<p>${words.overExplanation}</p>`, language);
}

function done(c: ApiContext): Response | Promise<Response> {
  const language = languageOf(c);
  const words = WORDS[language];
  return secretPage(c, 200, words.done, html`<p>${words.doneExplanation}</p>`, language);
}

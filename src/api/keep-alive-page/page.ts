import { html } from "hono/html";
import { lookUpProfile } from "../../accounts/users.ts";
import { readFormBody } from "../../http/body.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { knownZone, languageOf } from "../../http/language.ts";
import { type Html, htmlResponse, linkParams, readLink, secretPage } from "../../http/page.ts";
import type { LinkChoice } from "../../instance/keep-alive.ts";
import { isUnreadable } from "../../instance/outcomes.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from "../../lifecycle/model/time.ts";
import type { Language, Reader } from "../../lifecycle/model/words/said.ts";
import { say } from "../../lifecycle/model/words/say.ts";
import { SPEECH } from "../../lifecycle/model/words/speech.ts";
import { controlOf } from "../../lifecycle/views/control.ts";
import type { DetailView } from "../../lifecycle/views/instance-view.ts";
import { actorOf } from "../../platform/address.ts";
import { within } from "../../platform/within.ts";
import { WORDS } from "./words.ts";

/**
 * The page behind the link in an alert. It needs no sign-in, and works once, for one registration of an instance.
 * Opening it changes nothing, since previews of messages open links. Its buttons do.
 */

const HOURS_OFFERED = [1, 4, 24] as const;

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
    summary: "Open the link of an alert: a page with buttons",
    request: { params: linkParams },
    responses,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const link = await linkOf(c);
    if (link === null) return expired(c);
    const { language, timeZone } = await readerOfLink(c, link.sub);
    const instance = await actorOf(c.env, link.sub, link.instance).detail(language, timeZone);
    if (instance === null) return expired(c);
    if (isUnreadable(instance)) return notNow(c);
    if (instance.registered_at !== toIso(link.registered_at)) return expired(c);
    return secretPage(
      c,
      200,
      isAtRest(instance) ? instance.name : WORDS[language].question(instance.name),
      html`${factsOf(instance, { language, timeZone })}${choicesOf(instance, language)}${linkTo(instance.instance_id, language)}`,
      language,
    );
  }
}

export class PostKeepAlivePage extends Endpoint {
  override schema = {
    operationId: "useKeepAliveLink",
    tags: ["Commands"],
    summary: "Keep the instance of an alert alive, or hibernate it: once",
    description:
      "The page's form sends `hours` (1, 4 or 24) or `hibernate=now`. Without a form it is kept alive for as long as its policy says.",
    request: { params: linkParams },
    responses,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const link = await linkOf(c);
    if (link === null) return expired(c);
    const reader = await readerOfLink(c, link.sub);
    const { language } = reader;
    const words = WORDS[language];
    const choice = choiceIn(await readFormBody(c.req.raw));
    if (choice === null) return secretPage(c, 409, words.notPossible, said(words.notUnderstood), language);
    const outcome = await actorOf(c.env, link.sub, link.instance).followLink(
      { id: link.jti, expiresAt: link.exp * 1000, registeredAt: link.registered_at },
      choice,
      c.var.requestId,
    );
    switch (outcome.outcome) {
      case "accepted": {
        // An instance of a former version says the minutes alone.
        const at = outcome.until ?? Date.now() + outcome.validForMinutes * MINUTE_MS;
        const until = momentText(at, reader);
        return done(c, words.kept, words.keptUntil(link.instance, until), link.instance, language);
      }
      case "hibernating":
        return done(c, words.hibernating, words.hibernatingNow(link.instance), link.instance, language);
      case "used":
        return secretPage(c, 410, words.used, said(words.usedExplanation), language);
      case "refused": {
        const { said: why, message } = outcome.refusal;
        return secretPage(c, 409, words.notPossible, said(`${say(reader, why ?? message)}.`), language);
      }
      case "unknown":
        return expired(c);
      case "unreadable":
      case "unavailable":
        return notNow(c);
    }
  }
}

/** Null for what the page does not offer. */
function choiceIn(form: URLSearchParams): LinkChoice | null {
  const hours = form.get("hours");
  const hibernate = form.get("hibernate");
  if (hours === null && hibernate === null) return { does: "keep_alive", minutes: null };
  if (hibernate === "now" && hours === null) return { does: "hibernate" };
  const offered = HOURS_OFFERED.find((each) => String(each) === hours);
  return offered === undefined || hibernate !== null ? null : { does: "keep_alive", minutes: offered * 60 };
}

/** Nothing is left to keep alive. */
const isAtRest = ({ status }: DetailView) => status === "hibernated" || status === "deleted";

/** What it is, why it is told of, what it costs, and what comes next. */
function factsOf(instance: DetailView, reader: Reader): Html {
  const { language } = reader;
  const words = WORDS[language];
  const { status, lifecycle, rate, instance_id, name } = instance;
  const id = name === instance_id ? "" : html` <span class="faint">(${instance_id})</span>`;
  return html`<dl>
<dt>${words.is}</dt><dd>${words.status[status]}${id}</dd>
<dt>${words.why}</dt><dd>${lifecycle.because}.</dd>
${rate === null ? "" : html`<dt>${words.costs}</dt><dd>${words.anHour(SPEECH[language].dollars(rate))}</dd>`}
${nextOf(instance, reader)}</dl>`;
}

/** A step that nobody can take, or that is held back, has no countdown. */
function nextOf({ lifecycle }: DetailView, reader: Reader): Html | "" {
  const { next_step, at, blocked_by } = lifecycle;
  if (next_step === null || at === null || blocked_by !== null) return "";
  const { next, nextStep } = WORDS[reader.language];
  return html`<dt>${next}</dt><dd>${nextStep[next_step]}: ${momentText(Date.parse(at), reader)} <span class="countdown" role="timer" data-until="${at}"></span></dd>`;
}

function choicesOf(instance: DetailView, language: Language): Html | "" {
  if (isAtRest(instance)) return "";
  const { provider, status, health } = instance;
  const words = WORDS[language];
  const buttons = HOURS_OFFERED.map(
    (count, index) =>
      html`<button name="hours" value="${count}"${index === 0 ? html` class="primary"` : ""}>${words.hours(count)}</button>`,
  );
  const canHibernate = controlOf({ provider, status, health }, "active").can_hibernate;
  return html`<form method="post"><p id="choices">${words.keepFor}</p><p class="choices" role="group" aria-labelledby="choices">${buttons}</p></form>
${
  canHibernate
    ? html`<details><summary>${words.hibernate}</summary><p>${words.hibernateMeans}</p><form method="post"><button class="danger" name="hibernate" value="now">${words.hibernateNow}</button></form></details>`
    : ""
}`;
}

function linkTo(instanceId: string, language: Language): Html {
  return html`<p><a href="/#/instances/${encodeURIComponent(instanceId)}">${WORDS[language].toInstance}</a></p>`;
}

function momentText(at: number, { language, timeZone }: Reader): string {
  const isFarOff = Math.abs(at - Date.now()) > 12 * HOUR_MS;
  return new Intl.DateTimeFormat(language, {
    ...(isFarOff ? { day: "numeric", month: "short" } : {}),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: timeZone ?? "UTC",
    timeZoneName: "short",
  }).format(at);
}

/** Whoever opens a link is not known; the account's time zone is nearest. Without an answer of the database times are in UTC. */
async function readerOfLink(c: ApiContext, userId: string): Promise<Reader> {
  const language = languageOf(c);
  const profile = await within(PROFILE_LIMIT_MS, lookUpProfile(c.env.DB, userId)).catch(() => null);
  return { language, timeZone: knownZone(profile?.timeZone ?? undefined) ?? "UTC" };
}

const PROFILE_LIMIT_MS = 2 * SECOND_MS;

async function linkOf(c: ApiContext) {
  const claims = await readLink(c);
  return claims?.scope === "keep_alive" ? claims : null;
}

const said = (text: string): Html => html`<p>${text}</p>`;

function done(c: ApiContext, title: string, text: string, instanceId: string, language: Language) {
  return secretPage(c, 200, title, html`<p>${text}</p>${linkTo(instanceId, language)}`, language);
}

function expired(c: ApiContext): Response | Promise<Response> {
  const language = languageOf(c);
  const { over, overExplanation } = WORDS[language];
  return secretPage(c, 410, over, said(overExplanation), language);
}

function notNow(c: ApiContext): Response | Promise<Response> {
  c.header("Retry-After", "60");
  const language = languageOf(c);
  return secretPage(c, 503, WORDS[language].notNow, said(WORDS[language].tryAgain), language);
}

import { html } from "hono/html";
import { issueToken } from "../../accounts/tokens.ts";
import { DAY_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { fleetOf } from "../../platform/address.ts";
import { readSettings } from "../../platform/settings.ts";
import type { Delivery } from "./channel.ts";
import { sendMail } from "./email.ts";
import { openSettings } from "./registry.ts";

/** How the owner of an e-mail address agrees to be told: until then nothing else is sent there. */

const LINK_LASTS_MS = 2 * DAY_MS;

export type ConfirmationSent =
  | { readonly outcome: "tried"; readonly delivery: Delivery }
  | { readonly outcome: "confirmed" }
  | { readonly outcome: "unknown" }
  | { readonly outcome: "too_many"; readonly retryAfterSeconds: number };

/** Sends the link, if the channel waits to be confirmed and its owner may be asked now. */
export async function sendConfirmation(env: Env, userId: string, id: string): Promise<ConfirmationSent> {
  const perDay = readSettings(env).CONFIRMATIONS_PER_DAY;
  const asked = await fleetOf(env, userId).askConfirmation(id, perDay);
  if (asked.outcome !== "send") return asked;
  const settings = await openSettings(env, { userId, id, sealed: asked.sealed });
  if (settings?.kind !== "email") return { outcome: "unknown" };
  const token = await issueToken(env.TOKEN_KEY, {
    scope: "confirm_channel",
    sub: userId,
    channel: id,
    exp: Math.floor((Date.now() + LINK_LASTS_MS) / SECOND_MS),
  });
  const link = `${asked.sealed.origin}/confirm-channel/${token}`;
  return { outcome: "tried", delivery: await sendMail(env, await messageTo(settings.to, link)) };
}

/** In both languages, since nobody knows the reader's. It holds nothing that a user could write: else anybody could be mailed anything. */
async function messageTo(to: string, link: string) {
  const english =
    "Somebody wants alerts of the Dumont Agent System to be sent to this address. If you agree, open this link within two days. If not, do nothing: you will get no more of these.";
  const portuguese =
    "Alguém quer que alertas do Dumont Agent System sejam enviados para este endereço. Se você concorda, abra este link em até dois dias. Se não, não faça nada: nada mais será enviado.";
  return {
    to,
    subject: "[Dumont] Confirm this address · Confirme este endereço",
    text: `${english}\n\n${portuguese}\n\n${link}\n`,
    html: (
      await html`<!doctype html><meta charset="utf-8"><body><p>${english}</p><p lang="pt-BR">${portuguese}</p><p><a href="${link}">${link}</a></p></body>`
    ).toString(),
  };
}

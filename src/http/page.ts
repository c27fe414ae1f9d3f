import { html } from "hono/html";
import { z } from "zod";
import { type Claims, readToken } from "../accounts/tokens.ts";
import { isUserDeleted } from "../accounts/users.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { within } from "../platform/within.ts";
import type { ApiContext } from "./endpoint.ts";

/** A page of the service that needs no sign-in: whoever has its address may use it. */

export type Language = "en" | "pt-BR";

/** What the address of such a page consists of. */
export const linkParams = z.object({ token: z.string().max(2000) });

export function htmlResponse(description: string) {
  return { description, content: { "text/html": { schema: z.string(), example: "<!doctype html>…" } } };
}

/** The reader's language, as the browser says it. */
export function languageOf(c: ApiContext): Language {
  return /^\s*pt\b/i.test(c.req.header("Accept-Language") ?? "") ? "pt-BR" : "en";
}

export function secretPage(
  c: ApiContext,
  status: 200 | 409 | 410 | 503,
  title: string,
  body: ReturnType<typeof html>,
  language: Language = "en",
): Response | Promise<Response> {
  // The address is a secret: it must not leak in a Referer header, nor stay in a cache.
  c.header("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'");
  c.header("Referrer-Policy", "no-referrer");
  c.header("Cache-Control", "no-store");
  return c.html(
    html`<!doctype html><html lang="${language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><h1>${title}</h1>${body}</html>`,
    status,
  );
}

/** A link must work while the database is away: whether there still is its user is then left to the user's own objects. */
const DATABASE_LIMIT_MS = 2 * SECOND_MS;

/** What the link of this page stands for. Null for one that is over, none of ours, or of a user who was or is being deleted. */
export async function readLink(c: ApiContext): Promise<Claims | null> {
  const claims = await readToken(c.env.TOKEN_KEY, c.req.param("token") ?? "");
  if (claims === null) return null;
  const asked = within(DATABASE_LIMIT_MS, isUserDeleted(c.env.DB, claims.sub));
  return (await asked.catch(() => false)) ? null : claims;
}

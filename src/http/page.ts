import { html } from "hono/html";
import { z } from "zod";
import { type Claims, readToken } from "../accounts/tokens.ts";
import { isUserDeleted } from "../accounts/users.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import type { Language } from "../lifecycle/model/words/said.ts";
import { within } from "../platform/within.ts";
import type { ApiContext } from "./endpoint.ts";

/** A page of the service that needs no sign-in: whoever has its address may use it. */

export type Html = ReturnType<typeof html>;

/** What the address of such a page consists of. */
export const linkParams = z.object({ token: z.string().max(2000) });

export function htmlResponse(description: string) {
  return { description, content: { "text/html": { schema: z.string(), example: "<!doctype html>…" } } };
}

/** Its style and its script are files of the page's: the policy takes nothing inline. */
export function secretPage(
  c: ApiContext,
  status: 200 | 409 | 410 | 503,
  title: string,
  body: Html,
  language: Language = "en",
): Response | Promise<Response> {
  // The address is a secret: it must not leak in a Referer header, nor stay in a cache.
  c.header(
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
  c.header("Referrer-Policy", "no-referrer");
  c.header("Cache-Control", "no-store");
  c.header("Vary", "Accept-Language");
  c.header("X-Content-Type-Options", "nosniff");
  return c.html(
    html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title} · Dumont</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/link-page.css"><script type="module" src="/countdown.js"></script></head>
<body><main><p class="brand"><img src="/icon.svg" alt="" width="24" height="24"><span>Dumont Agent System</span></p>
<h1>${title}</h1>${body}</main></body></html>`,
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

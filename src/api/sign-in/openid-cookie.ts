import { getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import { seal, unseal } from "../../accounts/seal.ts";
import type { ApiContext } from "../../http/endpoint.ts";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { begunSchema } from "../../openid/sign-in.ts";

/**
 * What a browser keeps of a sign-in that has begun at the OpenID provider, sealed, until it is back from there. The cookie is Lax:
 * the way back begins on the provider's page.
 */

const COOKIE = "dumont_openid";
const PURPOSE = "openid sign-in";
const LASTS_MS = 10 * MINUTE_MS;

const keptSchema = z.object({
  begun: begunSchema,
  /** Where on the page the person wants to go. */
  to: z.string(),
  link: z.string().nullable(),
  /** The person who wants to be known by the provider, and the session in which they said so. */
  connect: z.object({ userId: z.string(), personId: z.string(), sessionId: z.string() }).nullable(),
  account: z.string().nullable(),
  at: z.number(),
});

export type Kept = Readonly<z.infer<typeof keptSchema>>;

/** Over https the name begins with `__Host-`: then no other host can set it. */
function prefixOf(c: ApiContext): { readonly prefix?: "host" } {
  return new URL(c.req.url).protocol === "https:" ? { prefix: "host" } : {};
}

export async function keepBegun(c: ApiContext, kept: Kept): Promise<void> {
  setCookie(c, COOKIE, await seal(c.env.SEAL_KEY, PURPOSE, JSON.stringify(kept)), {
    ...prefixOf(c),
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    maxAge: LASTS_MS / SECOND_MS,
  });
}

/** What the browser kept, and keeps no longer. Null when that is nothing, too old, or not ours. */
export async function takeBegun(c: ApiContext, now: number): Promise<Kept | null> {
  const { prefix } = prefixOf(c);
  const sealed = prefix === undefined ? getCookie(c, COOKIE) : getCookie(c, COOKIE, prefix);
  if (sealed === undefined) return null;
  setCookie(c, COOKIE, "", { ...prefixOf(c), path: "/", httpOnly: true, sameSite: "Lax", maxAge: 0 });
  const text = await unseal(c.env.SEAL_KEY, PURPOSE, sealed).catch(() => null);
  const kept = jsonText(keptSchema).safeParse(text).data;
  return kept === undefined || now - kept.at > LASTS_MS ? null : kept;
}

import { getCookie, setCookie } from "hono/cookie";
import { SESSION_MS } from "../accounts/sessions.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { text } from "../lifecycle/model/words/say.ts";
import type { ApiContext } from "./endpoint.ts";
import { ApiError, invalid } from "./errors.ts";

/** The cookie of a browser that is signed in, and which requests may use it. */

export const SESSION_COOKIE = "dumont_session";

/** Whether the browser came by https. Then the cookie's name begins with `__Host-`: no other host can set it. */
function isSecure(c: ApiContext): boolean {
  return new URL(c.req.url).protocol === "https:";
}

/** The secret that the browser's cookie holds. */
export function sessionSecretOf(c: ApiContext): string | undefined {
  return isSecure(c) ? getCookie(c, SESSION_COOKIE, "host") : getCookie(c, SESSION_COOKIE);
}

/** Gives the browser the secret of its session; an empty one makes it forget. */
export function setSessionSecret(c: ApiContext, secret: string): void {
  setCookie(c, SESSION_COOKIE, secret, {
    ...(isSecure(c) ? { prefix: "host" as const } : {}),
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    maxAge: secret === "" ? 0 : SESSION_MS / SECOND_MS,
  });
}

/** Throws where a session would cross the network unencrypted. */
export function demandPrivacy(c: ApiContext): void {
  const { hostname } = new URL(c.req.url);
  if (isSecure(c) || ["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return;
  throw new ApiError("forbidden", text("error.https"));
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * A browser sends its cookie whichever page asks. So what does more than read must come from our own page, and so must a live
 * connection, which other pages could read. A body must be JSON, which no form of another page can send.
 */
export function demandOwnPage(c: ApiContext): void {
  const isUpgrade = c.req.header("Upgrade") !== undefined;
  if (READING.has(c.req.method) && !isUpgrade) return;
  if (pageOf(c) !== "own") throw otherPage();
  demandJson(c);
}

/** For requests that need no cookie but give one: scripts, which name no page, may send them too. */
export function refuseOtherPages(c: ApiContext): void {
  if (pageOf(c) === "other") throw otherPage();
  demandJson(c);
}

const otherPage = () => new ApiError("forbidden", text("error.own_page"));

/** Which page a request comes from, as the browser says. */
function pageOf(c: ApiContext): "own" | "other" | "unknown" {
  const origin = c.req.header("Origin");
  if (origin !== undefined) return origin === new URL(c.req.url).origin ? "own" : "other";
  const site = c.req.header("Sec-Fetch-Site");
  if (site === undefined) return "unknown";
  return site === "same-origin" ? "own" : "other";
}

function demandJson(c: ApiContext): void {
  if (c.req.raw.body === null || c.req.header("Content-Length") === "0") return;
  const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw invalid([{ path: "header.Content-Type", message: text("must.json") }]);
  }
}

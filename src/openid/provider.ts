import * as oauth from "oauth4webapi";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { readText } from "../outbound/call.ts";
import { readSettings, type Vars } from "../platform/settings.ts";

/** The OpenID provider that the operator has named, and how it is asked. */

export interface OpenIdProvider {
  readonly issuer: URL;
  readonly clientId: string;
  /** Null for a client that the provider gave no secret: then only PKCE protects the code. */
  readonly clientSecret: string | null;
  /** What the button says. */
  readonly name: string;
  /** Whether it may be without TLS, on this machine: for local tests only. */
  readonly allowsLoopback: boolean;
}

/** Null where the operator has named none. */
export function openIdProviderOf(env: Vars & Pick<Env, "OPENID_CLIENT_SECRET">): OpenIdProvider | null {
  const settings = readSettings(env);
  const issuer = URL.parse(settings.OPENID_ISSUER);
  if (issuer === null) return null;
  return {
    issuer,
    clientId: settings.OPENID_CLIENT_ID,
    clientSecret: env.OPENID_CLIENT_SECRET || null,
    name: settings.OPENID_NAME || issuer.host,
    allowsLoopback: settings.ALLOW_LOOPBACK_URLS,
  };
}

const CALL_LIMIT_MS = 10 * SECOND_MS;
const LARGEST_ANSWER_BYTES = 256 * 1024;
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** For one call of `oauth4webapi`. What the provider says of itself may name other addresses: they are held to the same. */
export function callOptions({ allowsLoopback }: OpenIdProvider) {
  return {
    [oauth.allowInsecureRequests]: allowsLoopback,
    [oauth.customFetch]: async (address: string, options: RequestInit): Promise<Response> => {
      const url = new URL(address);
      if (url.protocol !== "https:" && !(allowsLoopback && LOOPBACK_HOSTS.has(url.hostname))) {
        throw new Error("an address of the OpenID provider does not begin with https://");
      }
      const response = await fetch(address, options);
      const { text, isWhole } = await readText(response, LARGEST_ANSWER_BYTES);
      if (!isWhole) throw new Error("an answer of the OpenID provider is too large");
      const { status, headers } = response;
      return new Response(text === "" ? null : text, { status, headers: new Headers([...headers]) });
    },
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  };
}

const DISCOVERY_KEPT_MS = 10 * MINUTE_MS;

/** What the provider says of itself, kept for a while: there is one provider. */
let known: {
  readonly issuer: string;
  readonly at: number;
  readonly server: oauth.AuthorizationServer;
} | null = null;

/** What the provider says of itself. Throws where it is away, or says it of another one. */
export async function discover(provider: OpenIdProvider, now: number): Promise<oauth.AuthorizationServer> {
  const { issuer } = provider;
  if (known?.issuer === issuer.href && Math.abs(now - known.at) < DISCOVERY_KEPT_MS) return known.server;
  const response = await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...callOptions(provider) });
  const server = await oauth.processDiscoveryResponse(issuer, response);
  known = { issuer: issuer.href, at: now, server };
  return server;
}

/** The next sign-in asks the provider anew. */
export function forgetDiscovery(): void {
  known = null;
}

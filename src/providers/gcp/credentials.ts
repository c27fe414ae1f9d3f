import { sign } from "hono/jwt";
import { z } from "zod";
import { ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import { ProviderError, type ProviderErrorCode } from "../provider.ts";

/**
 * A service account's key, and the access tokens that Google gives for it: a JWT signed with RS256, exchanged at
 * Google's token endpoint. https://developers.google.com/identity/protocols/oauth2/service-account.
 */

/** The form of a project's id. Those of a Workspace domain begin with the domain. */
export const PROJECT = /^(?:[a-z0-9][a-z0-9.-]{0,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;

/** The endpoints that Google has written into keys. They are accepted, but only the first is ever called. */
const TOKEN_URIS = [
  "https://oauth2.googleapis.com/token",
  "https://www.googleapis.com/oauth2/v4/token",
  "https://accounts.google.com/o/oauth2/token",
] as const;

/** The rest of a key's file, which the service has no use for. */
const unusedSchema = z.string().max(1024).optional();

/** The fields of a key's JSON file, which may be pasted as a whole. Only what is used is kept. */
export const gcpCredentialsSchema = z
  .strictObject({
    client_email: z
      .string()
      .max(320)
      .regex(/^[a-z0-9][a-z0-9._-]*@[a-z0-9.-]+\.gserviceaccount\.com$/, {
        message: "must be the e-mail address of a service account",
      }),
    private_key: z
      .string()
      .max(8192)
      .refine((key) => pkcs8Of(key) !== null, { message: "must be the private key of a service account" }),
    project_id: z.string().regex(PROJECT, { message: "must be the id of a project" }),
    type: z.literal("service_account").optional(),
    private_key_id: unusedSchema,
    client_id: unusedSchema,
    auth_uri: unusedSchema,
    token_uri: z.enum(TOKEN_URIS).optional(),
    auth_provider_x509_cert_url: unusedSchema,
    client_x509_cert_url: unusedSchema,
    universe_domain: z.literal("googleapis.com").optional(),
  })
  .transform(({ client_email, private_key, project_id }) => ({ client_email, private_key, project_id }));

export type GcpCredentials = z.output<typeof gcpCredentialsSchema>;

/** Google's token endpoint. It is also whom a signed request is for, wherever it is sent. */
export const GOOGLE_TOKEN_URL = TOKEN_URIS[0];

/** What an account may do is up to its roles, so one scope serves for every call. */
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

/** The longest life that Google allows for a signed request. */
const ASSERTION_SECONDS = 3600;

/** A token is renewed this long before its end, so that it does not end on its way. */
const RENEWAL_MS = 60_000;

/** Anything but visible ASCII would make a header that can't be sent. */
const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.number().positive(),
  token_type: z.literal("Bearer"),
});

const refusalSchema = z.object({ error: z.string(), error_description: z.string().nullish() });

export interface TokenSource {
  /** A token that is good for the next call. */
  token(): Promise<string>;
  /** Drops the token, since Google has refused it. */
  forget(): void;
}

/** A source that keeps its token for as long as Google says. Calls at the same time share one request for it. */
export function tokenSource(credentials: GcpCredentials, url: string): TokenSource {
  let kept: { readonly token: Promise<string>; endsAt: number } | null = null;
  const renew = () => {
    const current = { token: Promise.resolve(""), endsAt: Number.POSITIVE_INFINITY };
    current.token = requestToken(credentials, url).then(
      ({ access_token, expires_in }) => {
        current.endsAt = Date.now() + expires_in * 1000 - RENEWAL_MS;
        return access_token;
      },
      (error: unknown) => {
        if (kept === current) kept = null;
        throw error;
      },
    );
    kept = current;
    return current;
  };
  return {
    token: () => (kept !== null && Date.now() < kept.endsAt ? kept : renew()).token,
    forget: () => {
      kept = null;
    },
  };
}

async function requestToken(credentials: GcpCredentials, url: string): Promise<z.infer<typeof tokenSchema>> {
  const answer = await ask("Google's token endpoint", url, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: await assertionOf(credentials),
    }).toString(),
  });
  if (!isSuccess(answer)) {
    const refusal = decodeJson(refusalSchema, answer.text);
    if (refusal === null) throw errorOf(answer, null);
    const words = `${refusal.error}${refusal.error_description == null ? "" : `: ${refusal.error_description}`}`;
    throw errorOf(answer, codeOfRefusal(refusal.error), words);
  }
  const token = decodeJson(tokenSchema, answer.text);
  if (token === null) throw notUnderstood(answer);
  return token;
}

/** Null for a code that is not known: then the HTTP status decides. */
function codeOfRefusal(error: string): ProviderErrorCode | null {
  switch (error) {
    case "access_denied":
    case "deleted_client":
    case "disabled_client":
    case "invalid_client":
    case "invalid_grant":
    case "invalid_scope":
    case "unauthorized_client":
      return "unauthorised";
    case "rate_limit_exceeded":
      return "rate_limited";
    case "internal_failure":
    case "temporarily_unavailable":
      return "unavailable";
    default:
      return null;
  }
}

async function assertionOf({ client_email, private_key }: GcpCredentials): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000);
  return sign(
    {
      iss: client_email,
      scope: SCOPE,
      aud: GOOGLE_TOKEN_URL,
      iat: issuedAt,
      exp: issuedAt + ASSERTION_SECONDS,
    },
    await importKey(private_key),
    "RS256",
  );
}

async function importKey(privateKey: string): Promise<CryptoKey> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const bytes = pkcs8Of(privateKey);
  try {
    if (bytes === null) throw new Error("no PKCS #8");
    return await crypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
  } catch {
    // Without the reason, which might quote the key.
    throw new ProviderError("unauthorised", "the private key can't be read", null, "credentials");
  }
}

/**
 * The bytes of a PEM's PKCS #8; null when it is none. A key that is pasted into a field of one line comes without its line
 * breaks, or with `\n` in their place.
 */
function pkcs8Of(pem: string): Uint8Array<ArrayBuffer> | null {
  const text = pem.replaceAll("\\n", "").replace(/\s/g, "");
  const [, base64] =
    /^-----BEGINPRIVATEKEY-----([A-Za-z0-9+/]+={0,2})-----ENDPRIVATEKEY-----$/.exec(text) ?? [];
  if (base64 === undefined || base64.length % 4 !== 0) return null;
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

import { sign } from "hono/jwt";
import { z } from "zod";
import { SECOND_MS } from "../lifecycle/model/time.ts";

/**
 * Bearer tokens. They are signed (HS256), so a bad one is refused without a call to the database or an actor.
 * `TOKEN_KEY` holds one or more keys separated by commas: the first one signs, all are accepted. A key is rotated by
 * putting a new one in front.
 */

const claimsSchema = z.discriminatedUnion("scope", [
  z.object({
    scope: z.literal("instance"),
    sub: z.string(),
    instance: z.string(),
    generation: z.number(),
  }),
  z.object({ scope: z.literal("user"), sub: z.string(), jti: z.string() }),
  // A user token that is no owner's, or that ends at `exp`. It has a scope of its own because the release before knows user
  // tokens without roles and ends: after a rollback that one refuses it.
  z.object({ scope: z.literal("limited"), sub: z.string(), jti: z.string(), exp: z.number().optional() }),
  // Until when it is good, and for how many machines, is kept: see `enrollments.ts`.
  z.object({ scope: z.literal("enrollment"), sub: z.string(), jti: z.string() }),
  // The link in an alert. It works once (by `jti`), for one registration of an instance, until `exp` (in seconds).
  z.object({
    scope: z.literal("keep_alive"),
    sub: z.string(),
    instance: z.string(),
    registered_at: z.number(),
    jti: z.string(),
    exp: z.number(),
  }),
  // The link that confirms an e-mail channel, until `exp`.
  z.object({
    scope: z.literal("confirm_channel"),
    sub: z.string(),
    channel: z.string(),
    exp: z.number(),
  }),
]);

export type Claims = z.infer<typeof claimsSchema>;

const MINIMUM_KEY_LENGTH = 32;

interface SigningKey {
  readonly kty: "oct";
  readonly k: string;
  readonly alg: "HS256";
  readonly kid: string;
}

interface TokenKey {
  readonly signs: SigningKey;
  readonly verifies: CryptoKey;
  readonly signsText: CryptoKey;
  /** How each token that it signed begins: the header is the same in all of them. */
  readonly header: string;
}

/** The keys by the text of `TOKEN_KEY`: each is made only once, since each heartbeat needs one. */
const keysByText = new Map<string, Promise<readonly TokenKey[]>>();

/** Throws when a key is missing or too short to be safe, so that the service neither issues nor accepts tokens. */
function keysOf(tokenKey: string | undefined): Promise<readonly TokenKey[]> {
  const text = tokenKey ?? "";
  const known = keysByText.get(text);
  if (known !== undefined) return known;
  const keys = Promise.all(text.split(",").map((part) => keyOf(part.trim())));
  keysByText.set(text, keys);
  return keys;
}

async function keyOf(secret: string): Promise<TokenKey> {
  if (secret.length < MINIMUM_KEY_LENGTH) {
    throw new Error(`TOKEN_KEY must hold keys of at least ${MINIMUM_KEY_LENGTH} characters`);
  }
  const bytes = new TextEncoder().encode(secret);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const alg = "HS256";
  const kid = digest.slice(0, 4).toHex();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return {
    signs: { kty: "oct", k: toBase64Url(bytes), alg, kid },
    verifies: await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]),
    signsText: await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]),
    header: toBase64Url(new TextEncoder().encode(JSON.stringify({ alg, typ: "JWT", kid }))),
  };
}

function toBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

export async function issueToken(tokenKey: string | undefined, claims: Claims): Promise<string> {
  const [key] = await keysOf(tokenKey);
  if (key === undefined) throw new Error("TOKEN_KEY is not set");
  return sign(claims, key.signs, "HS256");
}

/** The claims of a token that this service signed, or null for any other text, and for one that has expired. */
export async function readToken(tokenKey: string | undefined, token: string): Promise<Claims | null> {
  const keys = await keysOf(tokenKey);
  const [header, payload = "", signature = "", ...rest] = token.split(".");
  const key = keys.find((candidate) => candidate.header === header);
  if (key === undefined || rest.length > 0) return null;
  try {
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    if (!(await crypto.subtle.verify("HMAC", key.verifies, fromBase64Url(signature), signed))) return null;
    const claims = claimsSchema.safeParse(JSON.parse(new TextDecoder().decode(fromBase64Url(payload)))).data;
    if (claims === undefined) return null;
    const endsAt = "exp" in claims && claims.exp !== undefined ? claims.exp * SECOND_MS : null;
    return endsAt !== null && endsAt <= Date.now() ? null : claims;
  } catch {
    // It is not in base64.
    return null;
  }
}

/** The signature of a text that is no token. */
export async function signText(tokenKey: string | undefined, text: string): Promise<string> {
  const [key] = await keysOf(tokenKey);
  if (key === undefined) throw new Error("TOKEN_KEY is not set");
  const signature = await crypto.subtle.sign("HMAC", key.signsText, new TextEncoder().encode(text));
  return toBase64Url(new Uint8Array(signature));
}

/** Whether one of the keys signed the text. */
export async function verifyText(
  tokenKey: string | undefined,
  text: string,
  signature: string,
): Promise<boolean> {
  const bytes = fromBase64Url(signature);
  for (const key of await keysOf(tokenKey)) {
    if (await crypto.subtle.verify("HMAC", key.verifies, bytes, new TextEncoder().encode(text))) return true;
  }
  return false;
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

/** Whether the token is the operator's. Compared by digest, in constant time. */
export async function isAdminToken(adminToken: string | undefined, token: string): Promise<boolean> {
  if (adminToken === undefined || adminToken.length < MINIMUM_KEY_LENGTH) return false;
  const [expected, actual] = await Promise.all([digestOf(adminToken), digestOf(token)]);
  return crypto.subtle.timingSafeEqual(expected, actual);
}

function digestOf(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

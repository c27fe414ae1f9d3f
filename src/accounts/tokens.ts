import { decode, sign, verify } from "hono/jwt";
import { z } from "zod";

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

/** The keys by the text of `TOKEN_KEY`: their ids are digests, which are worth computing only once. */
const keysByText = new Map<string, Promise<readonly SigningKey[]>>();

/** Throws when a key is missing or too short to be safe, so that the service neither issues nor accepts tokens. */
function signingKeys(tokenKey: string | undefined): Promise<readonly SigningKey[]> {
  const text = tokenKey ?? "";
  const known = keysByText.get(text);
  if (known !== undefined) return known;
  const keys = Promise.all(text.split(",").map((part) => signingKey(part.trim())));
  keysByText.set(text, keys);
  return keys;
}

async function signingKey(secret: string): Promise<SigningKey> {
  if (secret.length < MINIMUM_KEY_LENGTH) {
    throw new Error(`TOKEN_KEY must hold keys of at least ${MINIMUM_KEY_LENGTH} characters`);
  }
  const bytes = new TextEncoder().encode(secret);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return {
    kty: "oct",
    k: bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
    alg: "HS256",
    kid: digest.slice(0, 4).toHex(),
  };
}

export async function issueToken(tokenKey: string | undefined, claims: Claims): Promise<string> {
  const [key] = await signingKeys(tokenKey);
  if (key === undefined) throw new Error("TOKEN_KEY is not set");
  return sign(claims, key, "HS256");
}

/** The claims of a token that this service signed, or null for any other text. */
export async function readToken(tokenKey: string | undefined, token: string): Promise<Claims | null> {
  const keys = await signingKeys(tokenKey);
  try {
    const { kid } = decode(token).header;
    const key = keys.find((candidate) => candidate.kid === kid);
    if (key === undefined) return null;
    return claimsSchema.safeParse(await verify(token, key, "HS256")).data ?? null;
  } catch {
    return null;
  }
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

import { sha256Hex } from "./digest.ts";
import { signText, verifyText } from "./tokens.ts";

/**
 * Secrets of which the database keeps the digest alone: those of sessions and of links. Each carries a signature by `TOKEN_KEY`,
 * so one that is guessed is refused without a call to the database.
 */

export type SecretPurpose = "session" | "link";

export interface IssuedSecret {
  readonly secret: string;
  readonly digest: string;
}

const SECRET_BYTES = 32;

export async function issueSecret(
  tokenKey: string | undefined,
  purpose: SecretPurpose,
): Promise<IssuedSecret> {
  const random = crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
  const signature = await signText(tokenKey, signedText(purpose, random));
  return { secret: `${random}.${signature}`, digest: await sha256Hex(random) };
}

/** The digest by which the database knows it; null for any text that this service did not issue for this purpose. */
export async function digestOfSecret(
  tokenKey: string | undefined,
  purpose: SecretPurpose,
  text: string,
): Promise<string | null> {
  const [, random = "", signature = ""] = /^([\w-]{43})\.([\w-]{43})$/.exec(text) ?? [];
  if (random === "" || !(await verifyText(tokenKey, signedText(purpose, random), signature))) return null;
  return sha256Hex(random);
}

/** No token begins so: what is signed as one never passes for the other. */
function signedText(purpose: SecretPurpose, random: string): string {
  return `${purpose}:${random}`;
}

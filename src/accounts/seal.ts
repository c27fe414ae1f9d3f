/**
 * Encrypts users' secrets at rest (AES-GCM). `SEAL_KEY` holds one or more keys separated by commas: the first one
 * seals, any of them opens. A sealed text is `<key id>.<nonce>.<ciphertext>`, and opens only for the purpose that it was
 * sealed for.
 */

const MINIMUM_KEY_LENGTH = 32;
const NONCE_BYTES = 12;

/** `purpose` ties the text to its place, so that it cannot be moved to another user's row. */
export async function seal(sealKey: string | undefined, purpose: string, text: string): Promise<string> {
  const [key] = await sealingKeys(sealKey);
  if (key === undefined) throw new Error("SEAL_KEY is not set");
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const ciphertext = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: encode(purpose) },
    key.key,
    encode(text),
  );
  return [key.id, toText(nonce), toText(new Uint8Array(ciphertext))].join(".");
}

/** Throws for a text that was changed, sealed for another purpose, or sealed by a key that is gone. */
export async function unseal(sealKey: string | undefined, purpose: string, sealed: string): Promise<string> {
  const [id, nonce = "", ciphertext = ""] = sealed.split(".");
  const key = (await sealingKeys(sealKey)).find((candidate) => candidate.id === id);
  if (key === undefined) throw new Error("no key of SEAL_KEY opens this");
  const text = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: fromText(nonce), additionalData: encode(purpose) },
    key.key,
    fromText(ciphertext),
  );
  return new TextDecoder().decode(text);
}

/** The same text sealed for another purpose. Throws where `unseal` does. */
export async function reseal(
  sealKey: string | undefined,
  sealed: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<string> {
  return seal(sealKey, to, await unseal(sealKey, from, sealed));
}

function sealingKeys(sealKey: string | undefined): Promise<{ id: string; key: CryptoKey }[]> {
  return Promise.all((sealKey ?? "").split(",").map((part) => sealingKey(part.trim())));
}

async function sealingKey(secret: string): Promise<{ id: string; key: CryptoKey }> {
  if (secret.length < MINIMUM_KEY_LENGTH) {
    throw new Error(`SEAL_KEY must hold keys of at least ${MINIMUM_KEY_LENGTH} characters`);
  }
  // The key is a digest, and its id a digest of that, so that the id says nothing about the key.
  const digest = await crypto.subtle.digest("SHA-256", encode(secret));
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", digest)).slice(0, 4).toHex();
  return { id, key: await crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]) };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function toText(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function fromText(text: string): Uint8Array {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

import { vi } from "vitest";

/** An OpenID provider behind `fetch` that does wrong on demand. It signs in whom the test names, without asking anybody. */

export interface Faults {
  /** Claims of the ID token, over the right ones; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs with a key that it does not publish. */
  readonly foreignKey?: boolean;
  readonly unsigned?: boolean;
  readonly userInfo?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Path to what is answered there instead. */
  readonly answers?: Readonly<Record<string, { readonly status: number; readonly body: string }>>;
  /** Path of what is out of reach. */
  readonly away?: string;
}

interface Authorization {
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
}

const ALGORITHM = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

export class FakeProvider {
  faults: Faults = {};
  /** Who signs in. */
  subject = "ada";
  readonly issuer = "https://accounts.example.com";
  readonly clientId = "dumont";
  readonly clientSecret = "a client's secret";
  /** Codes that are good, once. */
  readonly #codes = new Map<string, Authorization>();
  readonly #keys: CryptoKeyPair;
  readonly #foreign: CryptoKeyPair;

  private constructor(keys: CryptoKeyPair, foreign: CryptoKeyPair) {
    this.#keys = keys;
    this.#foreign = foreign;
  }

  static async make(): Promise<FakeProvider> {
    return new FakeProvider(await newKeys(), await newKeys());
  }

  /** From now on whatever calls out gets here. */
  takeCalls(): void {
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => this.#answer(new Request(input, init)));
  }

  /** What a browser would be sent back to, having been sent to `url`. */
  authorize(url: string, more: Readonly<Record<string, string>> = {}): URL {
    const { searchParams: asked } = new URL(url);
    const code = crypto.randomUUID();
    const redirectUri = asked.get("redirect_uri") ?? "";
    this.#codes.set(code, {
      nonce: asked.get("nonce") ?? "",
      challenge: asked.get("code_challenge") ?? "",
      redirectUri,
    });
    const back = new URL(redirectUri);
    const parameters = { code, state: asked.get("state") ?? "", iss: this.issuer, ...more };
    for (const [name, value] of Object.entries(parameters)) back.searchParams.set(name, value);
    return back;
  }

  async #answer(request: Request): Promise<Response> {
    const { origin, pathname } = new URL(request.url);
    if (origin !== this.issuer || this.faults.away === pathname) throw new TypeError("nobody is there");
    const instead = this.faults.answers?.[pathname];
    const send = (status: number, body: unknown) =>
      new Response(typeof body === "string" ? body : JSON.stringify(body), {
        status,
        headers: { "Content-Type": "application/json" },
      });
    if (instead !== undefined) return send(instead.status, instead.body);
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return send(200, {
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          userinfo_endpoint: `${this.issuer}/userinfo`,
          jwks_uri: `${this.issuer}/jwks`,
          authorization_response_iss_parameter_supported: true,
          id_token_signing_alg_values_supported: ["RS256"],
          ...this.faults.metadata,
        });
      case "/jwks": {
        const jwk = await crypto.subtle.exportKey("jwk", this.#keys.publicKey);
        return send(200, { keys: [{ ...jwk, kid: "k1", use: "sig", alg: "RS256" }] });
      }
      case "/userinfo":
        return send(200, {
          sub: this.subject,
          email: `${this.subject}@example.com`,
          email_verified: true,
          ...this.faults.userInfo,
        });
      case "/token": {
        const body = new URLSearchParams(await request.text());
        const issued = await this.#token(body, request.headers.get("Authorization") ?? "");
        return send(issued === null ? 400 : 200, issued ?? { error: "invalid_grant" });
      }
      default:
        return send(404, {});
    }
  }

  async #token(body: URLSearchParams, authorization: string): Promise<unknown> {
    const expected = `Basic ${btoa(`${encodeURIComponent(this.clientId)}:${formEncoded(this.clientSecret)}`)}`;
    if (authorization !== expected) return null;
    const code = body.get("code") ?? "";
    const granted = this.#codes.get(code);
    this.#codes.delete(code);
    if (granted === undefined || body.get("redirect_uri") !== granted.redirectUri) return null;
    const verifier = new TextEncoder().encode(body.get("code_verifier") ?? "");
    const challenge = Buffer.from(await crypto.subtle.digest("SHA-256", verifier)).toString("base64url");
    if (challenge !== granted.challenge) return null;
    return { access_token: "a", token_type: "Bearer", id_token: await this.#idToken(granted.nonce) };
  }

  async #idToken(nonce: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const right = {
      iss: this.issuer,
      sub: this.subject,
      aud: this.clientId,
      iat: now,
      exp: now + 300,
      nonce,
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "RS256", kid: "k1", ...this.faults.header })}.${part({ ...right, ...this.faults.claims })}`;
    if (this.faults.unsigned === true) return `${signed}.`;
    const { privateKey } = this.faults.foreignKey === true ? this.#foreign : this.#keys;
    const signature = await crypto.subtle.sign(ALGORITHM.name, privateKey, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature).toString("base64url")}`;
  }
}

async function newKeys(): Promise<CryptoKeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  if (!("privateKey" in keys)) throw new Error("there is no pair");
  return keys;
}

/** As RFC 6749 has it in the header of a client: form-encoded. */
function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}

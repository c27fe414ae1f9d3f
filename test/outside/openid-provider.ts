import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import Provider from "oidc-provider";

/** A certified OpenID provider on this machine. It signs in whom the test names, as if the person had typed their password. */

const CLIENT_ID = "dumont";
const CLIENT_SECRET = "a secret of the tests, which is none";

interface Payload {
  readonly uid?: string;
  readonly grantId?: string;
  consumed?: number;
}

/** Where the provider keeps what it has begun, by kind. */
function memory(): new (kind: string) => object {
  const kept = new Map<string, Payload>();
  return class {
    readonly #kind: string;
    constructor(kind: string) {
      this.#kind = kind;
    }
    async upsert(id: string, payload: Payload): Promise<void> {
      kept.set(`${this.#kind}:${id}`, payload);
    }
    async find(id: string): Promise<Payload | undefined> {
      return kept.get(`${this.#kind}:${id}`);
    }
    async findByUid(uid: string): Promise<Payload | undefined> {
      const own = [...kept].filter(([key]) => key.startsWith(`${this.#kind}:`));
      return own.find(([, payload]) => payload.uid === uid)?.[1];
    }
    async consume(id: string): Promise<void> {
      const payload = kept.get(`${this.#kind}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    }
    async destroy(id: string): Promise<void> {
      kept.delete(`${this.#kind}:${id}`);
    }
    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
    }
  };
}

export class OpenIdProvider {
  readonly issuer: string;
  readonly clientId = CLIENT_ID;
  readonly clientSecret = CLIENT_SECRET;
  /** Who signs in next; null: they say no. */
  next: string | null = null;
  /** Whose address it has not verified. */
  readonly unverified = new Set<string>();
  readonly #server: Server;
  #provider: Provider | null = null;

  private constructor(issuer: string, server: Server) {
    this.issuer = issuer;
    this.#server = server;
  }

  static async start(): Promise<OpenIdProvider> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the provider has no port");
    const provider = new OpenIdProvider(`http://127.0.0.1:${address.port}`, server);
    server.on("request", (request, response) => provider.#answer(request, response));
    return provider;
  }

  /** From now on it knows the service, which has a secret or none. */
  serve(redirectUri: string, hasSecret: boolean): void {
    const client = {
      client_id: this.clientId,
      ...(hasSecret ? { client_secret: this.clientSecret } : { token_endpoint_auth_method: "none" }),
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      id_token_signed_response_alg: "ES256",
    };
    const provider: Provider = new Provider(this.issuer, {
      adapter: memory(),
      clients: [client],
      jwks: { keys: [newKey()] },
      cookies: { keys: ["a key of the tests"] },
      pkce: { required: () => true },
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      ttl: {
        AccessToken: 600,
        AuthorizationCode: 60,
        Grant: 600,
        IdToken: 600,
        Interaction: 600,
        Session: 600,
      },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => this.#claimsOf(id) }),
      loadExistingGrant: async ({
        oidc,
      }: {
        oidc: { client: { clientId: string }; session: { accountId: string } };
      }) => {
        const grant = new provider.Grant({
          accountId: oidc.session.accountId,
          clientId: oidc.client.clientId,
        });
        grant.addOIDCScope("openid email profile");
        await grant.save();
        return grant;
      },
    });
    this.#provider = provider;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((closed) => this.#server.close(() => closed()));
  }

  #claimsOf(id: string): object {
    return {
      sub: id,
      name: id.toUpperCase(),
      email: `${id}@example.com`,
      email_verified: !this.unverified.has(id),
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const provider = this.#provider;
    if (provider === null) response.writeHead(503).end();
    else if (request.url?.startsWith("/interaction/")) void this.#signIn(provider, request, response);
    else provider.callback()(request, response);
  }

  async #signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const result =
      this.next === null
        ? { error: "access_denied", error_description: "they said no" }
        : { login: { accountId: this.next, remember: false } };
    await provider.interactionFinished(request, response, result);
  }
}

/** A private key that signs, as the provider takes it. */
function newKey(): object {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), alg: "ES256", kid: "k1", use: "sig" };
}

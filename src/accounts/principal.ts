import { isAdminToken, readToken } from "./tokens.ts";
import { isTokenValid } from "./users.ts";

/** Who is asking, and on whose behalf. */
export type Principal =
  | {
      readonly scope: "instance";
      readonly userId: string;
      readonly instanceId: string;
      readonly tokenGeneration: number;
    }
  | { readonly scope: "user"; readonly userId: string; readonly tokenId: string }
  | { readonly scope: "admin" };

export type Scope = Principal["scope"];

/**
 * The principal that a bearer token stands for, or null for a token that is not valid. Whether an instance's token is
 * the current one is known to its actor alone, by the generation.
 */
export async function identify(env: Env, token: string): Promise<Principal | null> {
  const claims = await readToken(env.TOKEN_KEY, token);
  switch (claims?.scope) {
    case "instance":
      return {
        scope: "instance",
        userId: claims.sub,
        instanceId: claims.instance,
        tokenGeneration: claims.generation,
      };
    case "user": {
      const valid = await isTokenValid(env.DB, claims.sub, claims.jti);
      return valid ? { scope: "user", userId: claims.sub, tokenId: claims.jti } : null;
    }
    // The token of a link works on the link's own page only.
    case "keep_alive":
      return null;
    case undefined:
      return (await isAdminToken(env.ADMIN_TOKEN, token)) ? { scope: "admin" } : null;
  }
}

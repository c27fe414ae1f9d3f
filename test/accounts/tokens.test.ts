import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { type Claims, isAdminToken, issueToken, readToken } from "../../src/accounts/tokens.ts";

const OLD_KEY = "old-key-0123456789abcdef0123456789abcdef";
const NEW_KEY = "new-key-0123456789abcdef0123456789abcdef";
const CLAIMS: Claims = { scope: "instance", sub: "u-1", instance: "rig", generation: 7 };

/** The token's parts, decoded, changed and put together again with the former signature. */
function altered(token: string, change: (header: object, claims: object) => [object, object]): string {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const decode = (part: string): object => JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
  const encode = (part: object) =>
    new TextEncoder().encode(JSON.stringify(part)).toBase64({ alphabet: "base64url", omitPadding: true });
  const [newHeader, newClaims] = change(decode(header), decode(claims));
  return `${encode(newHeader)}.${encode(newClaims)}.${signature}`;
}

describe("a token", () => {
  it("gives back the claims that it was issued with", async () => {
    expect(await readToken(OLD_KEY, await issueToken(OLD_KEY, CLAIMS))).toEqual(CLAIMS);
  });

  it("is good as long as its key is among the keys, and new ones are signed by the first", async () => {
    const old = await issueToken(OLD_KEY, CLAIMS);
    const both = `${NEW_KEY},${OLD_KEY}`;
    const fresh = await issueToken(both, CLAIMS);
    expect(await readToken(both, old)).toEqual(CLAIMS);
    expect(await readToken(NEW_KEY, fresh)).toEqual(CLAIMS);
    expect(await readToken(NEW_KEY, old)).toBeNull();
  });

  it("is refused when anything about it was changed", async () => {
    const token = await issueToken(OLD_KEY, CLAIMS);
    const forgeries = [
      "",
      "a.b.c",
      token.slice(0, -1),
      token.slice(0, token.lastIndexOf(".") + 1),
      `${token}x`,
      token.toLowerCase(),
      altered(token, (header, claims) => [header, { ...claims, sub: "u-2" }]),
      altered(token, (header, claims) => [header, { ...claims, generation: 8 }]),
      altered(token, (header, claims) => [{ ...header, alg: "none" }, claims]),
      altered(token, (header, claims) => [{ ...header, kid: "00000000" }, claims]),
      altered(token, (header, claims) => [{ ...header, kid: ["x"] }, claims]),
      await issueToken(NEW_KEY, CLAIMS),
      await sign({ ...CLAIMS }, OLD_KEY, "HS256"),
      await sign({ ...CLAIMS }, OLD_KEY, "HS512"),
    ];
    for (const forgery of forgeries) expect(await readToken(OLD_KEY, forgery), forgery).toBeNull();
  });

  it("of a link is refused once it has expired", async () => {
    const link = { scope: "keep_alive", sub: "u-1", instance: "rig", registered_at: 1, jti: "x" } as const;
    const now = Math.floor(Date.now() / 1000);
    const [expired, good] = [now - 1, now + 60].map((exp) => ({ ...link, exp }));
    for (const claims of [expired, good]) {
      if (claims === undefined) throw new Error("there are two");
      const read = await readToken(OLD_KEY, await issueToken(OLD_KEY, claims));
      expect(read).toEqual(claims === good ? claims : null);
    }
  });

  it("is neither issued nor read with a key that is missing or too short to be safe", async () => {
    for (const key of [undefined, "", "short", `${OLD_KEY},short`]) {
      await expect(issueToken(key, CLAIMS)).rejects.toThrow("TOKEN_KEY");
      await expect(readToken(key, "x")).rejects.toThrow("TOKEN_KEY");
    }
  });
});

describe("the operator's token", () => {
  it("is the whole text and nothing else, and never a short or missing one", async () => {
    expect(await isAdminToken(OLD_KEY, OLD_KEY)).toBe(true);
    expect(await isAdminToken(OLD_KEY, OLD_KEY.slice(1))).toBe(false);
    expect(await isAdminToken(OLD_KEY, "")).toBe(false);
    expect(await isAdminToken("short", "short")).toBe(false);
    expect(await isAdminToken(undefined, "undefined")).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { call, newUser } from "../world.ts";

const ask = (headers: Record<string, string> = {}) => call("GET", "/api/session", { headers });

describe("who is signed in in a browser", () => {
  it("is nobody without a cookie, and with one that the service did not give", async () => {
    for (const cookie of [null, "__Host-dumont_session=", "__Host-dumont_session=guessed", "other=1"]) {
      const { status, body } = await ask(cookie === null ? {} : { Cookie: cookie });
      expect(status).toBe(200);
      expect(body).toEqual({ session: null });
    }
  });

  it("is who has signed in, until the session ends, whatever token comes along", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const own = { Origin: "https://dumont.test", "Content-Type": "application/json" };
    const signedIn = await call("POST", "/api/session", { json: { token: ada.token }, headers: own });
    const Cookie = signedIn.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    const { body, headers } = await ask({ Cookie, Authorization: `Bearer ${bob.token}` });
    expect(body).toEqual({ session: signedIn.body });
    expect(headers.get("Cache-Control")).toBe("no-store");
    await call("DELETE", "/api/session", { headers: { ...own, Cookie } });
    expect((await ask({ Cookie })).body).toEqual({ session: null });
  });
});

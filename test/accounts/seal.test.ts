import { describe, expect, it } from "vitest";
import { seal, unseal } from "../../src/accounts/seal.ts";

const KEY = "seal-key-0123456789abcdef0123456789abcdef";
const NEW_KEY = "new-key-0123456789abcdef0123456789abcdef";

describe("a sealed text", () => {
  it("opens for its purpose, and is another text each time", async () => {
    const [one, two] = [await seal(KEY, "a", "secret"), await seal(KEY, "a", "secret")];
    expect(one).not.toBe(two);
    expect(one).not.toContain("secret");
    expect(await unseal(KEY, "a", one)).toBe("secret");
  });

  it("does not open for another purpose, by another key, or once it was changed", async () => {
    const sealed = await seal(KEY, "a", "secret");
    await expect(unseal(KEY, "b", sealed)).rejects.toThrow();
    await expect(unseal(NEW_KEY, "a", sealed)).rejects.toThrow("no key of SEAL_KEY opens this");
    const [id, nonce, ciphertext = ""] = sealed.split(".");
    const changed = `${ciphertext[0] === "A" ? "B" : "A"}${ciphertext.slice(1)}`;
    await expect(unseal(KEY, "a", [id, nonce, changed].join("."))).rejects.toThrow();
  });

  it("opens after a new key was put in front, which seals from then on", async () => {
    const sealed = await seal(KEY, "a", "secret");
    expect(await unseal(`${NEW_KEY},${KEY}`, "a", sealed)).toBe("secret");
    expect(await unseal(NEW_KEY, "a", await seal(`${NEW_KEY},${KEY}`, "a", "secret"))).toBe("secret");
  });

  it("is not made by a key that is too short", async () => {
    await expect(seal("short", "a", "secret")).rejects.toThrow("at least 32 characters");
  });
});

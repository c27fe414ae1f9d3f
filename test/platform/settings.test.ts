import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { requireRightVars } from "../../scripts/vars.ts";
import { readSettings, SETTING_NAMES, type Vars, wrongSettings } from "../../src/platform/settings.ts";

const ROOT = join(import.meta.dirname, "../..");
const { vars } = unstable_readConfig({ config: join(ROOT, "wrangler.toml") });

const NUMBERS = SETTING_NAMES.filter((name) => /^[0-9]+$/.test(String(vars[name])));
const FLAGS = SETTING_NAMES.filter((name) => /^(true|false)$/.test(String(vars[name])));

describe("the settings", () => {
  it("are right as wrangler.toml has them, and those are the defaults", () => {
    expect(Object.keys(vars).sort()).toEqual([...SETTING_NAMES].sort());
    expect(readSettings(vars)).toEqual(readSettings({}));
  });

  it("stand in docs/operations.md, each with its default", () => {
    const table = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
    const rows = [...table.matchAll(/^\| `([A-Z_]+)` \| `([^`]*)` \|/gm)];
    expect(rows.map(([, name, value]) => [name, value === '""' ? "" : value])).toEqual(
      SETTING_NAMES.map((name) => [name, vars[name]]),
    );
  });

  it.each(NUMBERS)("refuse a %s that is no number, negative, or absurd", (name) => {
    for (const text of [
      "",
      " ",
      "NaN",
      "-1",
      "0",
      "1e9",
      "Infinity",
      "9999999999",
      "0x10",
      "7 days",
      "1,5",
    ]) {
      expect(wrongSettings({ [name]: text })?.message, JSON.stringify(text)).toContain(`${name} must be`);
    }
  });

  it.each(FLAGS)("refuse a %s that is neither true nor false", (name) => {
    for (const text of ["", "TRUE", "yes", "1"]) {
      expect(wrongSettings({ [name]: text })?.message).toContain(`${name} must be`);
    }
  });

  it("refuse an address and a server that can't be", () => {
    expect(wrongSettings({ MAIL_FROM: "nobody" })?.message).toContain("MAIL_FROM must be");
    expect(wrongSettings({ SMTP_HOST: "mail example.com" })?.message).toContain("SMTP_HOST must be");
    expect(wrongSettings({ MAIL_FROM: "a@example.com", SMTP_HOST: "mail.example.com" })).toBeNull();
  });

  it("refuse an OpenID provider that can't be, or without the id of this service, or unprotected", () => {
    const id = { OPENID_CLIENT_ID: "dumont" };
    expect(wrongSettings({ OPENID_ISSUER: "accounts.example.com", ...id })?.message).toContain(
      "OPENID_ISSUER must be",
    );
    expect(wrongSettings({ OPENID_ISSUER: "https://accounts.example.com" })?.message).toContain(
      "OPENID_CLIENT_ID must be set",
    );
    expect(wrongSettings({ OPENID_ISSUER: "http://accounts.example.com", ...id })?.message).toContain(
      "OPENID_ISSUER must begin with https://",
    );
    expect(wrongSettings({ OPENID_ISSUER: "https://accounts.example.com/realm", ...id })).toBeNull();
    expect(wrongSettings({ OPENID_NAME: "<b>" })?.message).toContain("OPENID_NAME must be");
    expect(wrongSettings({ OPENID_NAME: "Conta da Universidade" })).toBeNull();
    const local = { DEPLOYED: "false", OPENID_ISSUER: "http://127.0.0.1:8080", ...id };
    expect(wrongSettings(local)?.message).toContain("OPENID_ISSUER must begin with https://");
    expect(wrongSettings({ ...local, ALLOW_LOOPBACK_URLS: "true" })).toBeNull();
    const elsewhere = "http://localhost.evil.example.com";
    expect(wrongSettings({ ...local, ALLOW_LOOPBACK_URLS: "true", OPENID_ISSUER: elsewhere })).not.toBeNull();
  });

  it("tell of all that is wrong, by name and never by value", () => {
    const wrong = wrongSettings({ EVENT_RETENTION_DAYS: "secret-1", SMTP_PORT: "secret-2" });
    expect(wrong?.issues.map(({ name }) => name)).toEqual(["EVENT_RETENTION_DAYS", "SMTP_PORT"]);
    expect(wrong?.message).not.toContain("secret");
  });

  it.each([
    [{ SIMULATION_SPEED: "60" }, "SIMULATION_SPEED must be 1 while"],
    [{ DEPLOYED: "true", SIMULATION_SPEED: "0.5" }, "SIMULATION_SPEED must be 1 while"],
    [{ ALLOW_LOOPBACK_URLS: "true" }, 'ALLOW_LOOPBACK_URLS must be "false" while'],
    [{ HEARTBEAT_RETENTION_DAYS: "30", HOURS_RETENTION_DAYS: "7" }, "HOURS_RETENTION_DAYS must not be below"],
  ] satisfies [Vars, string][])("refuse %j", (given, because) => {
    expect(() => readSettings(given)).toThrow(because);
  });

  it("let a local server simulate, and call this machine", () => {
    const local = { DEPLOYED: "false", SIMULATION_SPEED: "60.5", ALLOW_LOOPBACK_URLS: "true" };
    expect(readSettings(local)).toMatchObject({ SIMULATION_SPEED: 60.5, ALLOW_LOOPBACK_URLS: true });
  });

  it("are checked before a server is started or deployed, and none may be set that does not exist", () => {
    requireRightVars();
    expect(() => requireRightVars({ EVENT_RETENTION_DAYS: "" })).toThrow("EVENT_RETENTION_DAYS must be");
    expect(() => requireRightVars({ EVENT_RETENTION_DAY: "7" })).toThrow("EVENT_RETENTION_DAY is no setting");
  });

  it("are read from the environment in one place", () => {
    const pattern = new RegExp(`env\\??\\.(${SETTING_NAMES.join("|")})\\b`);
    const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => [file, readFileSync(join(ROOT, "src", file), "utf8")] as const);
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.filter(([, text]) => pattern.test(text)).map(([file]) => file)).toEqual([]);
  });
});

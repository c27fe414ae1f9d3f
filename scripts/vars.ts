import { join } from "node:path";
import { unstable_readConfig } from "wrangler";
import { SETTING_NAMES, WrongSettings, wrongSettings } from "../src/platform/settings.ts";

/** The vars of `wrangler.toml`, checked as the Worker checks them. */

const SECRETS = ["SMTP_USERNAME", "SMTP_PASSWORD"];

/** Throws `WrongSettings` if the Worker would refuse to run by the vars of `wrangler.toml`, with these in their place. */
export function requireRightVars(instead: Readonly<Record<string, string>> = {}): void {
  const { vars } = unstable_readConfig({ config: join(import.meta.dirname, "..", "wrangler.toml") });
  const bound = { ...vars, ...instead };
  const unknown = Object.keys(bound).filter((name) => ![...SETTING_NAMES, ...SECRETS].includes(name));
  if (unknown.length > 0) {
    throw new WrongSettings(unknown.map((name) => ({ name, message: "is no setting of this service" })));
  }
  const wrong = wrongSettings(bound);
  if (wrong !== null) throw wrong;
}

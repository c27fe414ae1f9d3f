import { z } from "zod";

/**
 * What the operator sets: the vars of `wrangler.toml`. All of them are read here, and nowhere else. A wrong value refuses to
 * run: no request is answered, no alarm decides, no workflow acts, until it is mended. A var that is absent has its default.
 */

/** Text that must match, and what it means. `unset` is the default. */
function setting<T>(unset: string, must: string, form: RegExp, read: (text: string) => T) {
  return z.string({ error: must }).regex(form, must).prefault(unset).transform(read);
}

function numberFrom(least: number, most: number, unset: string, form: RegExp, called: string) {
  const must = `must be ${called} from ${least} to ${most}`;
  return setting(unset, must, form, Number).pipe(z.number().min(least, must).max(most, must));
}

const whole = (least: number, most: number, unset: string) =>
  numberFrom(least, most, unset, /^[0-9]{1,9}$/, "a whole number");

const decimal = (least: number, most: number, unset: string) =>
  numberFrom(least, most, unset, /^[0-9]{1,9}(\.[0-9]{1,9})?$/, "a number");

const flag = (unset: "true" | "false") =>
  setting(unset, 'must be "true" or "false"', /^(true|false)$/, (text) => text === "true");

/** A var that may be left empty. */
const optional = (must: string, form: RegExp) =>
  setting("", must, new RegExp(`^$|${form.source}`, form.flags), (text) => text);

const days = (unset: string) => whole(1, 3650, unset);

/** Every var, by its name. */
const VARS = {
  DEPLOYED: flag("true"),
  SIMULATION_SPEED: decimal(0.01, 10_000, "1"),
  ALLOW_LOOPBACK_URLS: flag("false"),
  INSTANCES_PER_USER: whole(1, 1_000_000, "100000"),
  CHANNELS_PER_USER: whole(1, 1000, "20"),
  TOKENS_PER_USER: whole(1, 1000, "50"),
  CONNECTIONS_PER_USER: whole(1, 1000, "50"),
  PROVIDER_CONNECTIONS_PER_USER: whole(1, 1000, "50"),
  CONFIRMATIONS_PER_DAY: whole(1, 1000, "20"),
  EVENTS_PER_DAY: whole(100, 100_000, "2000"),
  HEARTBEAT_RETENTION_DAYS: days("7"),
  HOURS_RETENTION_DAYS: days("400"),
  EVENT_RETENTION_DAYS: days("400"),
  MAIL_FROM: optional("must be an e-mail address, or empty", /^[^\s@<>]{1,64}@[^\s@<>]{1,255}$/),
  SMTP_HOST: optional("must be the name or address of a server, or empty", /^[A-Za-z0-9.:-]{1,255}$/),
  SMTP_PORT: whole(1, 65_535, "465"),
  OPENID_ISSUER: optional("must be the URL of an OpenID provider, or empty", /^https?:\/\/[^\s?#@]{1,300}$/),
  OPENID_CLIENT_ID: optional(
    "must be the id of this service at its OpenID provider, or empty",
    /^\S{1,500}$/,
  ),
  OPENID_NAME: optional("must be at most 60 letters, or empty", /^[^\p{C}<>]{1,60}$/u),
};

export type SettingName = keyof typeof VARS;

/** The vars as they are bound: texts, some of which may be absent. */
export type Vars = { readonly [Name in SettingName]?: string };

export type Settings = Readonly<z.output<typeof settingsSchema>>;

/** What is wrong with one var. It never holds its value. */
export interface SettingIssue {
  readonly name: string;
  readonly message: string;
}

/** A provider of local tests. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(\/|$)/;

const settingsSchema = z.object(VARS).superRefine((settings, context) => {
  const refuse = (name: SettingName, message: string) =>
    context.addIssue({ code: "custom", path: [name], message });
  if (settings.DEPLOYED && settings.SIMULATION_SPEED !== 1) {
    refuse("SIMULATION_SPEED", 'must be 1 while DEPLOYED is "true"');
  }
  if (settings.DEPLOYED && settings.ALLOW_LOOPBACK_URLS) {
    refuse("ALLOW_LOOPBACK_URLS", 'must be "false" while DEPLOYED is "true"');
  }
  if (settings.HOURS_RETENTION_DAYS < settings.HEARTBEAT_RETENTION_DAYS) {
    refuse("HOURS_RETENTION_DAYS", "must not be below HEARTBEAT_RETENTION_DAYS");
  }
  const { OPENID_ISSUER: issuer } = settings;
  if (issuer !== "" && settings.OPENID_CLIENT_ID === "") {
    refuse("OPENID_CLIENT_ID", "must be set where OPENID_ISSUER is");
  }
  if (issuer.startsWith("http:") && !(settings.ALLOW_LOOPBACK_URLS && LOOPBACK.test(issuer))) {
    refuse("OPENID_ISSUER", "must begin with https://");
  }
});

/** The names of all vars. */
export const SETTING_NAMES: readonly string[] = Object.keys(VARS);

/** Some var is wrong, so nothing may be done. */
export class WrongSettings extends Error {
  readonly issues: readonly SettingIssue[];

  constructor(issues: readonly SettingIssue[]) {
    super(`wrong settings: ${issues.map(({ name, message }) => `${name} ${message}`).join("; ")}`);
    this.name = "WrongSettings";
    this.issues = issues;
  }
}

type Read = { readonly settings: Settings } | { readonly wrong: WrongSettings };

/** By the object that binds them, of which an isolate has one: so they are read once. */
const known = new WeakMap<Vars, Read>();

function readOnce(vars: Vars): Read {
  const before = known.get(vars);
  if (before !== undefined) return before;
  const { data, error } = settingsSchema.safeParse(vars);
  const read: Read = data === undefined ? { wrong: new WrongSettings(issuesIn(error)) } : { settings: data };
  known.set(vars, read);
  return read;
}

/** The first of each var: what follows from it says nothing more. */
function issuesIn(error: z.ZodError): SettingIssue[] {
  const first = new Map<string, string>();
  for (const { path, message } of error.issues) {
    const name = String(path[0]);
    if (!first.has(name)) first.set(name, message);
  }
  return [...first].map(([name, message]) => ({ name, message }));
}

/** The settings. Throws `WrongSettings` if any var is wrong: nothing is done by half of them. */
export function readSettings(vars: Vars): Settings {
  const read = readOnce(vars);
  if ("wrong" in read) throw read.wrong;
  return read.settings;
}

/** What is wrong with them; null when nothing is. */
export function wrongSettings(vars: Vars): WrongSettings | null {
  const read = readOnce(vars);
  return "wrong" in read ? read.wrong : null;
}

/**
 * The service's log: one line of JSON a call, so that whoever reads it can follow a request, an instance or an order by its
 * id. No secret enters it, and no line is long, whatever an error or a caller says.
 */

type Level = "info" | "warn" | "error";

type Value = string | number | boolean | null | undefined;

/** What a line is about. Names are in snake_case; ids end in `_id`. What is undefined is left out. */
export type LogFields = Readonly<Record<string, Value>> & LogIds;

/** The ids by which lines are found. */
export type LogIds = {
  readonly request_id?: string | null;
  readonly user_id?: string | null;
  readonly instance_id?: string | null;
  /** The order's id, unique for its instance, and that of the workflow that carries it out, unique for good. */
  readonly order_id?: string | null;
  readonly workflow_id?: string | null;
};

const LONGEST_TEXT = 500;
const LONGEST_STACK = 2000;
const MOST_FIELDS = 32;
const CUT = "[cut]";

/**
 * Something changed, or began, or ended, or failed at somebody else's. A steady heartbeat does none of these, and is not
 * logged.
 */
export function logInfo(message: string, fields: LogFields = {}, error?: unknown): void {
  console.log(lineOf("info", message, fields, error));
}

/** Something failed that is tried again, or that somebody else is told of. */
export function logWarning(message: string, fields: LogFields = {}, error?: unknown): void {
  console.warn(lineOf("warn", message, fields, error));
}

/** Something failed that nobody expects: a defect, or data that can't be read. */
export function logError(message: string, fields: LogFields = {}, error?: unknown): void {
  console.error(lineOf("error", message, fields, error));
}

function lineOf(level: Level, message: string, fields: LogFields, error: unknown): string {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  const cut = known.slice(0, MOST_FIELDS).map(([name, value]) => [name, fieldOf(name, value)]);
  return JSON.stringify({
    level,
    message: textOf(message),
    ...Object.fromEntries(cut),
    ...(error === undefined ? {} : { error: errorOf(error) }),
  });
}

/** Names of what is never logged. The id of a token is no token. */
const SECRET_NAME =
  /(token|secret|password|credential|authorization|cookie|sealed|api_?key|e?mail)(?!.*_id$)/i;

function fieldOf(name: string, value: Value): Value {
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  if (typeof value !== "string") return value;
  return SECRET_NAME.test(name) ? CUT : textOf(value);
}

function errorOf(error: unknown) {
  if (!(error instanceof Error)) return { message: textOf(String(error)) };
  const cause = error.cause === undefined ? {} : { cause: textOf(String(error.cause)) };
  return {
    name: textOf(error.name),
    message: textOf(error.message),
    stack: textOf(error.stack ?? "", LONGEST_STACK),
    ...cause,
  };
}

/** What is looked through is bounded as well, and ends with a whole word: half a secret does not look like one. */
function textOf(text: string, longest = LONGEST_TEXT): string {
  const whole = text.length > 2 * longest ? text.slice(0, 2 * longest).replace(/\S*$/, "…") : text;
  const clean = withoutSecrets(whole);
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean;
}

/**
 * What looks like a secret, or like an address of a person, wherever it stands in a text: an error's message may quote what
 * a user entered, or what a provider answered.
 */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // A URL keeps its host: a channel's path is as good as a password, and so may a query be.
  [/\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/"'<>@]*@)?([^\s/"'<>?#@]+)[^\s"'<>)]*/gi, "$1$2/…"],
  [/\b[^\s@"'<>(),:;=]+@[^\s@"'<>(),:;=]+\.[^\s@"'<>(),:;=]+/g, CUT],
  // JSON Web Tokens, of whole or cut off length.
  [/\beyJ[\w-]{6,}(?:\.[\w-]*){0,2}/g, CUT],
  [/\b(Bearer|Basic)\s+[^\s"',;]+/gi, `$1 ${CUT}`],
  // Keys that say what they are: webhooks, AWS, Slack, Google, RunPod, Stripe and their like.
  [/\b(?:whsec_|xox[a-z]-|rpa_|sk[-_]|pk[-_]|gh[a-z]_|AIza|ya29\.)[\w.+/=-]{8,}/g, CUT],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, CUT],
  [
    /(["']?\b[\w-]*(?:token|secret|password|passwd|credential|authorization|cookie|signature|api[-_]?key|access[-_]?key)[\w-]*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&}]+)/gi,
    `$1${CUT}`,
  ],
];

function withoutSecrets(text: string): string {
  return SECRETS.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
}

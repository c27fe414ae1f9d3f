/** What `wrangler.toml` says of a deployment, and what is wrong with it. Pure. */

export interface Database {
  readonly binding: string;
  readonly name: string;
  readonly migrations: string | null;
}

export interface WranglerConfig {
  readonly worker: string;
  readonly databases: readonly Database[];
  /** The tag of the last migration of classes. */
  readonly classes: string | null;
  readonly workflows: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
}

/** Everything that is wrong, in words for the operator. */
export function configProblems({ databases, vars }: WranglerConfig): string[] {
  return [
    ...numberingProblems(databases.map(({ binding }) => binding)),
    ...databases.filter(({ name }) => name === "").map(({ binding }) => `${binding} has no database_name`),
    ...databases
      .filter(({ migrations }, _, [first]) => migrations === null || migrations !== first?.migrations)
      .map(({ binding }) => `${binding} does not have the migrations_dir of DB`),
    ...repeated(databases.map(({ name }) => name)).map((name) => `two bindings name the database ${name}`),
    ...(vars.DEPLOYED === "false" ? ["DEPLOYED is false, as local servers set it"] : []),
  ];
}

/** The Worker counts the databases of the history up to the first number that is not bound: a gap would hide the rest. */
function numberingProblems(bindings: readonly string[]): string[] {
  const numbers = bindings.flatMap((binding) => /^HISTORY_(\d+)$/.exec(binding)?.[1] ?? []).map(Number);
  const wanted = Array.from({ length: Math.max(0, ...numbers) }, (_, index) => index + 1);
  return [
    ...(bindings.includes("DB") ? [] : ["there is no database DB"]),
    ...bindings
      .filter((binding) => binding !== "DB" && !/^HISTORY_[1-9]\d*$/.test(binding))
      .map((binding) => `${binding} is neither DB nor HISTORY_1, HISTORY_2 …`),
    ...wanted
      .filter((number) => !numbers.includes(number))
      .map((number) => `HISTORY_${number} is missing: databases of the history are numbered without a gap`),
    ...repeated(bindings).map((binding) => `${binding} is bound twice`),
  ];
}

function repeated(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text, index) => texts.indexOf(text) !== index))];
}

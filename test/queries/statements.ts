import { allSources, child, children, type Node, nameOf, type Source } from "./source.ts";
import { type KnownResults, Texts } from "./texts.ts";

/** Every SQL statement of the service, found in its source. */

export interface Statement {
  /** Its file and line. */
  readonly where: string;
  /** "D1", or the folder whose object has the database. */
  readonly database: string;
  readonly sql: string;
}

interface Found {
  readonly statements: readonly Statement[];
  /** Calls whose text can't be told, and texts that look like SQL but are given to no call. */
  readonly lost: readonly string[];
}

/** D1 prepares its statements, and an object's own database executes them. */
const METHODS = ["prepare", "exec"];

const LOOKS_LIKE_SQL = /^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\s/;

export function findStatements(results: KnownResults): Found {
  const texts = new Texts(results);
  const statements: Statement[] = [];
  const lost: string[] = [];
  const sources = allSources();
  for (const source of sources) {
    for (const { call, method } of callsIn(source)) {
      const [text] = children(call, "arguments");
      const where = source.where(call);
      const database = method === "prepare" ? "D1" : (source.path.split("/")[0] ?? "");
      try {
        if (text === undefined) throw new Error(`${where}: there is no text`);
        for (const sql of texts.of(source, text)) statements.push({ where, database, sql });
      } catch (error) {
        lost.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  for (const source of sources) {
    for (const node of source.nodes.filter((each) => LOOKS_LIKE_SQL.test(writtenIn(source, each)))) {
      if (!texts.seen.has(node)) lost.push(`${source.where(node)}: this text is given to no database`);
    }
  }
  return { statements, lost };
}

function callsIn(source: Source): { readonly call: Node; readonly method: string }[] {
  return source.nodes.flatMap((call) => {
    const callee = call.type === "CallExpression" ? child(call, "callee") : undefined;
    if (callee?.type !== "MemberExpression") return [];
    const method = nameOf(child(callee, "property")) ?? "";
    const isPattern = child(callee, "object")?.type === "Literal";
    return METHODS.includes(method) && !isPattern ? [{ call, method }] : [];
  });
}

/** A literal as it is written, without its quotes. */
function writtenIn(source: Source, { type, start, end }: Node): string {
  if (type !== "TemplateLiteral" && type !== "Literal") return "";
  return source.text.slice(start + 1, Number(end) - 1);
}

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAst } from "vite";

/** The source as syntax trees, to find out which texts an expression can stand for without running it. */

const ROOT = join(import.meta.dirname, "../../src");

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** A field that holds a node; undefined where it holds none. */
export function child(node: Node, field: string): Node | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** The nodes of a field that holds several. */
export function children(node: Node, field: string): Node[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of an identifier, private or not; undefined for any other node. */
export function nameOf(node: Node | undefined): string | undefined {
  return typeof node?.name === "string" ? node.name : undefined;
}

export class Source {
  readonly path: string;
  readonly text: string;
  /** All nodes, each before those within it. */
  readonly nodes: readonly Node[];
  readonly #parents = new Map<Node, Node>();

  constructor(path: string) {
    this.path = path;
    this.text = readFileSync(join(ROOT, path), "utf8");
    const nodes: Node[] = [];
    const visit = (node: Node, parent: Node | null) => {
      nodes.push(node);
      if (parent !== null) this.#parents.set(node, parent);
      for (const value of Object.values(node)) {
        for (const each of Array.isArray(value) ? value : [value]) if (isNode(each)) visit(each, node);
      }
    };
    const program: unknown = parseAst(this.text, { lang: path.endsWith("x") ? "tsx" : "ts" });
    if (!isNode(program)) throw new Error(`${path} can't be parsed`);
    visit(program, null);
    this.nodes = nodes;
  }

  /** What a node stands in, from the inside out. */
  ancestorsOf(node: Node): Node[] {
    const parent = this.#parents.get(node);
    return parent === undefined ? [] : [parent, ...this.ancestorsOf(parent)];
  }

  parentOf(node: Node): Node | undefined {
    return this.#parents.get(node);
  }

  where(node: Node): string {
    return `src/${this.path}:${this.text.slice(0, node.start).split("\n").length}`;
  }
}

const sources = new Map<string, Source>();

function sourceAt(path: string): Source {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const source = new Source(path);
  sources.set(path, source);
  return source;
}

/** All files of the service; the page has no database. */
export function allSources(): Source[] {
  return readdirSync(ROOT, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts") && !path.startsWith("dashboard/"))
    .sort()
    .map(sourceAt);
}

/** The file that an import of this file names. */
export function importedBy(source: Source, specifier: string): Source {
  return sourceAt(join(dirname(source.path), specifier));
}

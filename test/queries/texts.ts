import { child, children, importedBy, type Node, nameOf, type Source } from "./source.ts";

/** Which texts an expression can stand for. */

/** What some functions give back, by name and field: conditions that are put together at run time. */
export type KnownResults = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export class Texts {
  readonly #results: KnownResults;
  /** Every literal that was part of a text. */
  readonly seen = new Set<Node>();

  constructor(results: KnownResults) {
    this.#results = results;
  }

  /** All texts that the expression can stand for. Throws, with its place, when that can't be told. */
  of(source: Source, node: Node): string[] {
    switch (node.type) {
      case "Literal":
        this.seen.add(node);
        return [String(node.value)];
      case "TemplateLiteral":
        this.seen.add(node);
        return this.#template(source, node);
      case "ConditionalExpression":
        return this.#ofAll(source, [child(node, "consequent"), child(node, "alternate")]);
      case "BinaryExpression":
        return this.#arithmetic(source, node);
      case "TSAsExpression":
      case "TSSatisfiesExpression":
        return this.#ofAll(source, [child(node, "expression")]);
      case "MemberExpression":
        return this.#member(source, node);
      case "Identifier":
        return this.#identifier(source, node);
      default:
        throw new Unknown(source, node);
    }
  }

  #ofAll(source: Source, nodes: readonly (Node | undefined)[]): string[] {
    return nodes.flatMap((node) => (node === undefined ? [] : this.of(source, node)));
  }

  #template(source: Source, node: Node): string[] {
    const expressions = children(node, "expressions");
    return children(node, "quasis").reduce<string[]>(
      (texts, quasi, index) => {
        const { value } = quasi;
        const cooked = typeof value === "object" && value !== null && "cooked" in value ? value.cooked : "";
        const written = texts.map((text) => `${text}${String(cooked)}`);
        const expression = expressions[index];
        if (expression === undefined) return written;
        const filled = this.of(source, expression);
        return written.flatMap((text) => filled.map((each) => text + each));
      },
      [""],
    );
  }

  /** The value of a product stands in no plan; that it is a number does. */
  #arithmetic(source: Source, node: Node): string[] {
    const sides = this.#ofAll(source, [child(node, "left"), child(node, "right")]);
    if (sides.some((side) => !Number.isFinite(Number(side)))) throw new Unknown(source, node);
    return ["1000"];
  }

  /** A field of a constant object; by a key that isn't known, any of them. */
  #member(source: Source, node: Node): string[] {
    const object = child(node, "object");
    const [constant] = object?.type === "Identifier" ? this.#declared(source, object) : [];
    if (constant === undefined) throw new Unknown(source, node);
    const unwrapped = unwrap(constant.node);
    if (unwrapped.type !== "ObjectExpression") throw new Unknown(source, node);
    const key = node.computed === true ? undefined : nameOf(child(node, "property"));
    const values = children(unwrapped, "properties")
      .filter((property) => key === undefined || nameOf(child(property, "key")) === key)
      .map((property) => child(property, "value"));
    return this.#ofAll(constant.source, values);
  }

  #identifier(source: Source, node: Node): string[] {
    const declared = this.#declared(source, node);
    if (declared.length === 0) return this.#result(source, node);
    return declared.flatMap((each) => this.of(each.source, each.node));
  }

  /** `const { name } = known(…)`. */
  #result(source: Source, node: Node): string[] {
    const name = nameOf(node) ?? "";
    for (const declarator of source.nodes.filter(({ type }) => type === "VariableDeclarator")) {
      const call = child(declarator, "init");
      const callee = call && nameOf(child(call, "callee"));
      const isNamed = children(child(declarator, "id") ?? declarator, "properties").some(
        (property) => nameOf(child(property, "key")) === name,
      );
      const known = callee === undefined || !isNamed ? undefined : this.#results[callee]?.[name];
      if (known !== undefined) return [...known];
    }
    throw new Unknown(source, node);
  }

  /** What a name stands for where the node uses it: the expressions that it was declared with. */
  #declared(source: Source, node: Node): { source: Source; node: Node }[] {
    const name = nameOf(node) ?? "";
    for (const scope of source.ancestorsOf(node)) {
      const found = [
        ...this.#looped(source, scope, name),
        ...this.#passed(source, scope, name),
        ...this.#local(scope, name),
      ];
      if (found.length > 0) return found.map((each) => ({ source, node: each }));
    }
    for (const each of source.nodes.filter(({ type }) => type === "ImportDeclaration")) {
      const specifier = children(each, "specifiers").find((one) => nameOf(child(one, "local")) === name);
      const from = child(each, "source")?.value;
      if (specifier === undefined || typeof from !== "string") continue;
      const other = importedBy(source, from);
      const wanted = nameOf(child(specifier, "imported")) ?? name;
      return other.nodes
        .filter((one) => one.type === "VariableDeclarator" && nameOf(child(one, "id")) === wanted)
        .flatMap((one) => {
          const init = child(one, "init");
          return init === undefined ? [] : [{ source: other, node: init }];
        });
    }
    return [];
  }

  /** `for (const name of [ … ])`. */
  #looped(source: Source, scope: Node, name: string): Node[] {
    const right = child(scope, "right");
    const left = child(scope, "left");
    if (scope.type !== "ForOfStatement" || left === undefined || right === undefined) return [];
    if (!children(left, "declarations").some((each) => nameOf(child(each, "id")) === name)) return [];
    const [list] = right.type === "Identifier" ? this.#declared(source, right) : [{ node: right }];
    return list === undefined ? [] : children(unwrap(list.node), "elements");
  }

  /** A parameter: what the calls of the function in the same file pass for it, or else its default. */
  #passed(source: Source, scope: Node, name: string): Node[] {
    const parameters = children(scope, "params");
    const index = parameters.findIndex((each) => nameOf(child(each, "left") ?? each) === name);
    const parameter = parameters[index];
    if (parameter === undefined) return [];
    const parent = source.parentOf(scope);
    const called =
      nameOf(child(scope, "id")) ?? (parent && nameOf(child(parent, "key") ?? child(parent, "id")));
    return source.nodes
      .filter((each) => each.type === "CallExpression")
      .filter((each) => {
        const callee = child(each, "callee");
        return called !== undefined && nameOf(callee && (child(callee, "property") ?? callee)) === called;
      })
      .flatMap((each) => children(each, "arguments")[index] ?? child(parameter, "right") ?? []);
  }

  #local(scope: Node, name: string): Node[] {
    return children(scope, "body")
      .map((each) => child(each, "declaration") ?? each)
      .flatMap((each) => children(each, "declarations"))
      .filter((each) => nameOf(child(each, "id")) === name)
      .flatMap((each) => child(each, "init") ?? []);
  }
}

function unwrap(node: Node): Node {
  const inner = node.type.startsWith("TS") ? child(node, "expression") : undefined;
  return inner === undefined ? node : unwrap(inner);
}

class Unknown extends Error {
  constructor(source: Source, node: Node) {
    super(`${source.where(node)}: what this ${node.type} stands for can't be told`);
  }
}

/** What of the service's OpenAPI document the reference shows. Pure. What it does not know is left out. */

type Json = Readonly<Record<string, unknown>>;

export interface ReferenceDocument {
  readonly version: string;
  readonly description: string;
  readonly groups: readonly Group[];
  readonly shapes: Readonly<Record<string, Schema>>;
}

export interface Group {
  readonly name: string;
  readonly operations: readonly Operation[];
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Whose token it takes; empty for what anybody may ask. */
  readonly scopes: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly body: Content | null;
  readonly responses: readonly Answer[];
}

export interface Parameter {
  readonly name: string;
  readonly place: string;
  readonly isRequired: boolean;
  readonly description: string;
  readonly schema: Schema;
}

export interface Content {
  readonly mediaType: string;
  readonly schema: Schema;
  readonly example: unknown;
}

export interface Answer {
  readonly status: string;
  readonly description: string;
  readonly content: Content | null;
}

/** A JSON Schema, as it stands in the document. */
export type Schema = Json;

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

export function readDocument(document: unknown): ReferenceDocument {
  const { info, paths, components } = recordOf(document);
  const groups = new Map<string, Operation[]>();
  for (const [path, item] of Object.entries(recordOf(paths))) {
    for (const method of METHODS) {
      const operation = recordOf(item)[method];
      if (operation === undefined) continue;
      const { tags } = recordOf(operation);
      const name = textOf(listOf(tags)[0]);
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      group.push(readOperation(method, path, recordOf(operation)));
    }
  }
  const shapes = Object.entries(recordOf(recordOf(components).schemas));
  return {
    version: textOf(recordOf(info).version),
    description: textOf(recordOf(info).description),
    groups: [...groups].map(([name, operations]) => ({ name, operations })),
    shapes: Object.fromEntries(shapes.map(([name, schema]) => [name, recordOf(schema)])),
  };
}

function readOperation(method: string, path: string, operation: Json): Operation {
  return {
    id: textOf(operation.operationId),
    method: method.toUpperCase(),
    path,
    summary: textOf(operation.summary),
    description: textOf(operation.description),
    scopes: listOf(operation.security).flatMap((each) => Object.keys(recordOf(each))),
    parameters: listOf(operation.parameters)
      .map(recordOf)
      .map((parameter) => ({
        name: textOf(parameter.name),
        place: textOf(parameter.in),
        isRequired: parameter.required === true,
        description: textOf(parameter.description),
        schema: recordOf(parameter.schema),
      })),
    body: contentOf(recordOf(operation.requestBody).content),
    responses: Object.entries(recordOf(operation.responses)).map(([status, response]) => ({
      status,
      description: textOf(recordOf(response).description),
      content: contentOf(recordOf(response).content),
    })),
  };
}

function contentOf(content: unknown): Content | null {
  const [first] = Object.entries(recordOf(content));
  if (first === undefined) return null;
  const [mediaType, of] = first;
  return { mediaType, schema: recordOf(recordOf(of).schema), example: recordOf(of).example };
}

/** Those that have all the words somewhere: in a summary, a path, or the operation's name. */
export function search(groups: readonly Group[], wanted: string): Group[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return groups
    .map(({ name, operations }) => ({
      name,
      operations: operations.filter(({ id, method, path, summary }) => {
        const text = `${name} ${id} ${method} ${path} ${summary}`.toLowerCase();
        return words.every((word) => text.includes(word));
      }),
    }))
    .filter(({ operations }) => operations.length > 0);
}

export interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** The fields of an object, or of the objects in a list. */
export function fieldsOf(schema: Schema, shapes: ReferenceDocument["shapes"]): Field[] {
  const { properties, required, items } = resolved(schema, shapes);
  if (items !== undefined) return fieldsOf(recordOf(items), shapes);
  return Object.entries(recordOf(properties)).map(([name, field]) => ({
    name,
    schema: recordOf(field),
    isRequired: listOf(required).includes(name),
  }));
}

/** The shapes that it may be, by name where they have one: of what has a choice, each. */
export function choicesOf(schema: Schema): Schema[] {
  const choices = [...listOf(schema.anyOf), ...listOf(schema.oneOf)].map(recordOf);
  return choices.length === 0 ? [schema] : choices.flatMap(choicesOf).filter(({ type }) => type !== "null");
}

export function resolved(schema: Schema, shapes: ReferenceDocument["shapes"]): Schema {
  const name = nameOf(schema);
  return name === null ? schema : (shapes[name] ?? {});
}

/** The name of the shape that it refers to; null for one that stands here itself. */
export function nameOf(schema: Schema): string | null {
  const { $ref } = schema;
  return typeof $ref === "string" ? ($ref.split("/").at(-1) ?? null) : null;
}

/** `string | null`, `Instance[]`, `"act" | "observe"`. */
export function typeText(schema: Schema): string {
  const name = nameOf(schema);
  if (name !== null) return name;
  const values = listOf(schema.enum);
  if (values.length > 0) return values.map((value) => JSON.stringify(value)).join(" | ");
  const choices = [...listOf(schema.anyOf), ...listOf(schema.oneOf)].map(recordOf);
  if (choices.length > 0) return [...new Set(choices.map(typeText))].join(" | ");
  const types = typeof schema.type === "string" ? [schema.type] : listOf(schema.type).map(textOf);
  return types.map((type) => typeOf(type, schema)).join(" | ") || "any";
}

function typeOf(type: string, { items, additionalProperties }: Schema): string {
  if (type === "array") {
    const of = typeText(recordOf(items));
    return of.includes(" ") ? `(${of})[]` : `${of}[]`;
  }
  const values = recordOf(additionalProperties);
  return type === "object" && Object.keys(values).length > 0 ? `{ …: ${typeText(values)} }` : type;
}

const LIMITS = [
  ["minimum", "≥ "],
  ["exclusiveMinimum", "> "],
  ["maximum", "≤ "],
  ["exclusiveMaximum", "< "],
  ["minLength", "length ≥ "],
  ["maxLength", "length ≤ "],
  ["minItems", "items ≥ "],
  ["maxItems", "items ≤ "],
] as const;

/** `≥ 1, ≤ 1000`; empty where there is no limit worth a word. */
export function limitsText(schema: Schema): string {
  return LIMITS.flatMap(([name, sign]) => {
    const limit = schema[name];
    return typeof limit === "number" && Math.abs(limit) < Number.MAX_SAFE_INTEGER ? [`${sign}${limit}`] : [];
  }).join(", ");
}

/** How a shell asks for it. A token stands in a variable, since examples are copied. */
export function curlOf({ method, path, scopes, body }: Operation, origin: string): string {
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} ${origin}${path}`];
  if (scopes.length > 0) lines.push('-H "Authorization: Bearer $TOKEN"');
  if (body !== null && body.example !== undefined) {
    lines.push(`-d '${JSON.stringify(body.example).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}

/** The address of a request with these values; those left empty are left out. */
export function addressOf({ path, parameters }: Operation, values: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams();
  let address = path;
  for (const { name, place } of parameters) {
    const value = values[name] ?? "";
    if (place === "path") address = address.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === "query" && value !== "") query.set(name, value);
  }
  return query.size === 0 ? address : `${address}?${query}`;
}

function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

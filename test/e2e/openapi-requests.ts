import fc from "fast-check";
import { z } from "zod";

/** Requests made of the OpenAPI document itself: for each operation, what it asks for, and what it does not expect. */

export interface FuzzedRequest {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly token: "none" | "forged" | "instance" | "user" | "admin" | "enrollment";
  readonly body: string | null;
}

interface Schema {
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly items?: Schema | false | undefined;
  readonly prefixItems?: readonly Schema[] | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly oneOf?: readonly Schema[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

const schemaSchema: z.ZodType<Schema> = z.lazy(() =>
  z.looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    properties: z.record(z.string(), schemaSchema).optional(),
    items: z.union([schemaSchema, z.literal(false)]).optional(),
    prefixItems: z.array(schemaSchema).optional(),
    anyOf: z.array(schemaSchema).optional(),
    oneOf: z.array(schemaSchema).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
);

const SCOPES = ["instance", "user", "admin", "enrollment"] as const;

const operationSchema = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.unknown())).default([]),
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.enum(["path", "query", "header"]), schema: schemaSchema }))
    .default([]),
  requestBody: z
    .looseObject({
      content: z.looseObject({
        "application/json": z.looseObject({ schema: schemaSchema, example: z.unknown().optional() }),
      }),
    })
    .optional(),
});

const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });

const componentsSchema = z.looseObject({
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

/** The document with each `$ref` replaced by the component that it names. None of them contains itself. */
function withoutReferences(document: unknown): unknown {
  const { schemas } = componentsSchema.parse(document).components;
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    if (!("$ref" in value)) {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each)]));
    }
    const schema = schemas[String(value.$ref).replace("#/components/schemas/", "")];
    if (schema === undefined) throw new Error(`${value.$ref} leads nowhere`);
    return resolve(schema);
  };
  return resolve(document);
}

/** `known` are ids that exist, so that some requests get past the door. */
export function requestsOf(document: unknown, known: readonly string[]): fc.Arbitrary<FuzzedRequest> {
  const { paths } = documentSchema.parse(withoutReferences(document));
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      requestOf(path, method.toUpperCase(), operation, known),
    ),
  );
  return fc.oneof(...operations);
}

function requestOf(
  template: string,
  method: string,
  operation: z.infer<typeof operationSchema>,
  known: readonly string[],
): fc.Arbitrary<FuzzedRequest> {
  const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
  const inQuery = operation.parameters.filter((parameter) => parameter.in === "query");
  const pathValue = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known, "vast", "latest", "dumont-agent") },
    { weight: 1, arbitrary: fc.string({ minLength: 1, unit: "binary" }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("..", "%00", "'; DROP TABLE users; --", "a/b", "x".repeat(3000)),
    },
  );
  const isAskedFor = (scope: string) => operation.security.some((scheme) => scope in scheme);
  const content = operation.requestBody?.content["application/json"];
  return fc
    .record({
      pathValues: fc.array(pathValue, { minLength: inPath.length, maxLength: inPath.length }),
      query: fc.record(Object.fromEntries(inQuery.map(({ name, schema }) => [name, fuzzed(schema)])), {
        requiredKeys: [],
      }),
      body: content === undefined ? fc.constant(null) : bodyOf(content.schema, content.example),
      token: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...SCOPES.filter(isAskedFor), "user" as const) },
        { weight: 1, arbitrary: fc.constantFrom(...SCOPES, "none" as const, "forged" as const) },
      ),
    })
    .map(({ pathValues, query, body, token }) => {
      const path = inPath.reduce(
        (filled, { name }, index) =>
          filled.replace(`{${name}}`, () => encodeURIComponent(wellFormed(pathValues[index] ?? ""))),
        template,
      );
      const search = Object.entries(query).map(
        ([name, value]) => `${name}=${encodeURIComponent(wellFormed(textOf(value)))}`,
      );
      return {
        operation: operation.operationId,
        method,
        path: search.length === 0 ? path : `${path}?${search.join("&")}`,
        token,
        body,
      };
    });
}

function bodyOf(schema: Schema, example: unknown): fc.Arbitrary<string> {
  const changed =
    typeof example === "object" && example !== null
      ? fc
          .record({ field: fc.constantFrom(...Object.keys(example), "extra"), value: fc.jsonValue() })
          .map(({ field, value }) => JSON.stringify({ ...example, [field]: value }))
      : fc.json();
  return fc.oneof(
    fc.constant(JSON.stringify(example)),
    changed,
    fuzzed(schema).map((value) => JSON.stringify(value) ?? ""),
    fc.json(),
    fc.string(),
    fc.json().map((text) => text.slice(0, -1)),
  );
}

/** Mostly what the schema asks for, now and then anything at all. */
function fuzzed(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 5, arbitrary: fitting(schema) }, { weight: 1, arbitrary: fc.jsonValue() });
}

function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(fuzzed));
  const [type = "any", ...others] = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  if (others.length > 0)
    return fc.oneof(...[type, ...others].map((each) => fitting({ ...schema, type: each })));
  const { minimum = -1e9, maximum = 1e9 } = schema;
  switch (type) {
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties ?? {}).map(([name, each]) => [name, fuzzed(each)]),
        ),
        { requiredKeys: [] },
      );
    case "array":
      if (schema.prefixItems !== undefined) return fc.tuple(...schema.prefixItems.map(fuzzed));
      return fc.array(schema.items ? fuzzed(schema.items) : fc.jsonValue(), { maxLength: 5 });
    case "integer":
      return fc.oneof(
        fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31 - 1) }),
        fc.constantFrom(minimum, maximum),
      );
    case "number":
      return fc.oneof(
        fc.double({ min: minimum, max: maximum, noNaN: true }),
        fc.constantFrom(minimum, maximum),
      );
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return fc.oneof(
        fc.string(),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      );
    default:
      return fc.jsonValue();
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** An address takes no half of a surrogate pair. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "?");
}

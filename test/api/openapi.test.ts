import { describe, expect, it } from "vitest";
import { z } from "zod";
import { version } from "../../package.json";
import { component, components } from "../../src/http/openapi.ts";
import { createRouter } from "../../src/router.ts";
import { call } from "../world.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

const operationSchema = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  tags: z.array(z.string()).length(1),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  requestBody: z
    .object({ content: z.object({ "application/json": z.looseObject({ example: z.unknown() }) }) })
    .optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ description: z.string(), content: z.record(z.string(), z.unknown()).optional() }),
  ),
});

const documentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ version: z.string() }),
  paths: z.record(z.string(), z.partialRecord(z.enum(METHODS), operationSchema)),
  components: z.looseObject({
    securitySchemes: z.record(z.string(), z.looseObject({})),
    schemas: z.record(z.string(), z.looseObject({ type: z.unknown().optional() })),
  }),
});

async function operations() {
  const document = documentSchema.parse((await call("GET", "/openapi.json")).body);
  return {
    document,
    operations: Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => (item[method] ? [{ method, path, ...item[method] }] : [])),
    ),
  };
}

/** The schemas of all JSON bodies of an operation, with where each stands. */
function bodySchemas({ requestBody, responses }: z.infer<typeof operationSchema>): [string, unknown][] {
  return [["request", requestBody] as const, ...Object.entries(responses)].flatMap(([place, body]) => {
    const content = z.looseObject({ schema: z.unknown() }).safeParse(body?.content?.["application/json"]);
    return content.success ? [[place, content.data.schema] satisfies [string, unknown]] : [];
  });
}

/** Every `$ref` in a part of the document. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "$ref" in value ? [String(value.$ref)] : [];
  return [...own, ...Object.values(value).flatMap(referencesIn)];
}

describe("the OpenAPI document", () => {
  it("is the same text each time, and is not sent to whoever has it", async () => {
    const first = await call("GET", "/openapi.json");
    const tag = first.headers.get("ETag") ?? "";
    expect(tag).toMatch(/^"[0-9a-f]+"$/);
    expect(first.headers.get("Cache-Control")).toBe("public, max-age=300");
    const { body, headers } = await call("GET", "/openapi.json");
    expect(body).toEqual(first.body);
    expect(headers.get("ETag")).toBe(tag);
    for (const known of [tag, `"other", W/${tag}`]) {
      const again = await call("GET", "/openapi.json", { headers: { "If-None-Match": known } });
      expect(again).toMatchObject({ status: 304, body: "" });
    }
  });

  it("holds every route of the service, and no other", async () => {
    const documented = (await operations()).operations.map(
      ({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`,
    );
    const routed = createRouter()
      .routes.filter(({ method, path }) => method !== "ALL" && !path.startsWith("/openapi"))
      .map(({ method, path }) => `${method} ${path}`);
    expect(documented.sort()).toEqual([...new Set(routed)].sort());
  });

  it("states the version of package.json", async () => {
    expect((await operations()).document.info.version).toBe(version);
  });

  it("names each operation once", async () => {
    const ids = (await operations()).operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("tells the token that each operation needs, and describes each kind", async () => {
    const { document, operations: all } = await operations();
    expect(Object.keys(document.components.securitySchemes).sort()).toEqual([
      "admin",
      "enrollment",
      "instance",
      "session",
      "user",
    ]);
    for (const { method, path, security = [] } of all) {
      const { status } = await call(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "x"));
      expect([path, security.length > 0], `${method} ${path}`).toEqual([path, status === 401]);
    }
  });

  it("gives an example of every body and every success, and the shape of every error", async () => {
    for (const { method, path, requestBody, responses, security } of (await operations()).operations) {
      const operation = `${method} ${path}`;
      if (requestBody) expect(requestBody.content["application/json"].example, operation).toBeDefined();
      const statuses = Object.keys(responses);
      expect(
        statuses.some((status) => status.startsWith("2") || ["101", "302"].includes(status)),
        operation,
      ).toBe(true);
      if (security) expect(statuses, operation).toEqual(expect.arrayContaining(["401", "403", "503"]));
      if (requestBody) expect(statuses, operation).toEqual(expect.arrayContaining(["400", "413"]));
      if (path.includes("{id}")) expect(statuses, operation).toContain("404");
      for (const [status, response] of Object.entries(responses)) {
        // They have no body.
        if (status === "304" || status === "302") continue;
        const contents = Object.entries(response.content ?? {});
        expect(contents.length, `${operation} ${status}`).toBeGreaterThan(0);
        for (const [type, content] of contents) {
          const body = z.looseObject({ schema: z.unknown(), example: z.unknown() }).parse(content);
          expect(body.schema, `${operation} ${status} ${type}`).toBeDefined();
          if (status.startsWith("2")) expect(body.example, `${operation} ${status} ${type}`).toBeDefined();
        }
      }
    }
  });

  it("names the shape of every JSON body, so that clients can be generated", async () => {
    const { operations: all } = await operations();
    const bodies = all.flatMap((operation) =>
      bodySchemas(operation).map(([place, schema]) => [`${operation.operationId} ${place}`, schema]),
    );
    expect(bodies.length).toBeGreaterThan(all.length);
    const named = { $ref: expect.stringMatching(/^#\/components\/schemas\/[A-Z][A-Za-z]+$/) };
    for (const [place, schema] of bodies) expect(schema, String(place)).toEqual(named);
  });

  it("refers to shapes that it holds, and holds none that nothing refers to", async () => {
    const { document } = await operations();
    const held = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(referencesIn(document))].sort()).toEqual(held.sort());
  });

  it("has each shape as it was named, whatever a use of it adds", async () => {
    const { document } = await operations();
    const { schemas } = document.components;
    expect(Object.keys(schemas).sort()).toEqual([...components().keys()].sort());
    for (const [name, { type }] of Object.entries(schemas))
      expect([undefined, "object"], name).toContain(type);
    // chanfana writes a nullable reference as `allOf` of the shape and of null, which nothing can be.
    expect(JSON.stringify(document)).not.toContain("allOf");
  });

  it("gives a name to one shape only", () => {
    expect(() => component("Instance", z.object({}))).toThrow(/two shapes are called Instance/);
  });
});

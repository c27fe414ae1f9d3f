import { describe, expect, it } from "vitest";
import {
  addressOf,
  curlOf,
  fieldsOf,
  limitsText,
  readDocument,
  search,
  typeText,
} from "../../../src/dashboard/docs/document.ts";

const instance = { $ref: "#/components/schemas/Instance" };
const json = (schema: unknown, example?: unknown) => ({ "application/json": { schema, example } });
const document = readDocument({
  info: { version: "1.2.3", description: "About" },
  components: {
    schemas: {
      Instance: {
        type: "object",
        properties: { id: { type: "string", maxLength: 64 }, gpu: { type: ["number", "null"], minimum: 0 } },
        required: ["id"],
      },
    },
  },
  paths: {
    "/things/{id}": {
      get: {
        operationId: "getThing",
        tags: ["Things"],
        summary: "See a thing",
        security: [{ user: [] }],
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "limit", in: "query", schema: { type: "integer" } },
        ],
        responses: { 200: { description: "It", content: json(instance, { id: "1" }) } },
      },
      post: {
        operationId: "makeThing",
        tags: ["Things"],
        summary: "Make a thing",
        requestBody: { content: json(instance, { id: "it's" }) },
      },
    },
    "/healthz": { get: { operationId: "health", tags: ["Service"], summary: "See whether it runs" } },
  },
});
const [things] = document.groups;
const [getThing, makeThing] = things?.operations ?? [];
if (getThing === undefined || makeThing === undefined) throw new Error("the document has no operations");

describe("the document", () => {
  it("is read by its groups, with what each operation takes and answers", () => {
    expect(document.groups.map(({ name, operations }) => [name, operations.length])).toEqual([
      ["Things", 2],
      ["Service", 1],
    ]);
    expect(getThing).toMatchObject({ method: "GET", scopes: ["user"], body: null });
    expect(getThing.responses[0]).toMatchObject({ status: "200", content: { example: { id: "1" } } });
  });

  it.each([null, [], "text", { paths: { "/x": null } }, { paths: { "/x": { get: null } } }])(
    "of a shape that nobody knows fails nowhere: %j",
    (unknown) => {
      expect(readDocument(unknown).shapes).toEqual({});
    },
  );

  it("is searched by any words of an operation", () => {
    const names = (wanted: string) =>
      search(document.groups, wanted).flatMap((each) => each.operations.map(({ id }) => id));
    expect(names("")).toHaveLength(3);
    expect(names("make thing")).toEqual(["makeThing"]);
    expect(names("/healthz")).toEqual(["health"]);
    expect(names("post things")).toEqual(["makeThing"]);
    expect(names("nothing of this")).toEqual([]);
  });
});

describe("a shape", () => {
  it.each([
    [instance, "Instance"],
    [{ type: "array", items: instance }, "Instance[]"],
    [{ enum: ["act", "observe"] }, '"act" | "observe"'],
    [{ anyOf: [instance, { type: "null" }] }, "Instance | null"],
    [{ type: "array", items: { type: ["string", "null"] } }, "(string | null)[]"],
    [{ type: "object", additionalProperties: { type: "number" } }, "{ …: number }"],
    [{}, "any"],
  ])("%j is told as %s", (schema, text) => {
    expect(typeText(schema)).toBe(text);
  });

  it("has its fields by its name, and by the list that it is in", () => {
    const fields = [
      { name: "id", isRequired: true },
      { name: "gpu", isRequired: false },
    ];
    expect(fieldsOf(instance, document.shapes)).toMatchObject(fields);
    expect(fieldsOf({ type: "array", items: instance }, document.shapes)).toMatchObject(fields);
    expect(fieldsOf({ type: "string" }, document.shapes)).toEqual([]);
  });

  it("tells its limits, but for those that no number passes", () => {
    expect(limitsText({ minimum: 1, maximum: 10 })).toBe("≥ 1, ≤ 10");
    expect(limitsText({ minLength: 1, maxLength: 64 })).toBe("length ≥ 1, length ≤ 64");
    expect(limitsText({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })).toBe("");
  });
});

describe("a request", () => {
  it("stands in a shell as it is, quotes included", () => {
    expect(curlOf(getThing, "https://x.test")).toBe(
      'curl https://x.test/things/{id} \\\n  -H "Authorization: Bearer $TOKEN"',
    );
    expect(curlOf(makeThing, "https://x.test")).toBe(
      `curl -X POST https://x.test/things/{id} \\\n  -d '{"id":"it'\\''s"}'`,
    );
  });

  it("has its values in its address, whatever they hold", () => {
    expect(addressOf(getThing, { id: "a/b?c", limit: "" })).toBe("/things/a%2Fb%3Fc");
    expect(addressOf(getThing, { id: "1", limit: "5&x" })).toBe("/things/1?limit=5%26x");
  });
});

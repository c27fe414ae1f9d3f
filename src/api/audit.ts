import { z } from "zod";
import { ACTS_KEPT, type Act, AUDIT_KEPT_MS, listActs } from "../accounts/audit.ts";
import { userIdOf } from "../http/authenticate.ts";
import { encodePosition, pageLimit, positionCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { DAY_MS, toIso } from "../lifecycle/model/time.ts";

/** Who did what in the account. */

const actSchema = component(
  "Act",
  z.object({
    id: z.string(),
    at: z.string(),
    who: z
      .object({
        kind: z.enum(["token", "person", "operator"]),
        id: z.string().nullable(),
        name: z.string().nullable(),
      })
      .describe("As it was called then; the operator of the service has no name"),
    act: z.string().describe("The operation's id in the API"),
    subject: z.string().nullable().describe("What it was done to, such as an instance's id"),
    detail: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .describe("What else is known of it. `refused: true`: the role did not allow it, and nothing was done"),
  }),
);

const auditSchema = component(
  "Audit",
  z.object({ acts: z.array(actSchema), next_cursor: z.string().nullable() }),
);

const kept = Object.entries(ACTS_KEPT).map(([sort, count]) => `${sort} ${count.toLocaleString("en")}`);

export class ListAudit extends Endpoint {
  override schema = {
    operationId: "listAudit",
    tags: ["Access"],
    summary: "Read who did what in the account, newest first",
    description: `Every change by a person or a token, signing in and out, what a role did not allow, and what the operator did about who gets in. Kept for ${AUDIT_KEPT_MS / DAY_MS} days, and of each sort the newest: ${kept.join(", ")}. Never a secret.`,
    security: security("user"),
    request: { query: z.object({ limit: pageLimit(100), cursor: positionCursor.optional() }) },
    responses: {
      200: jsonResponse("A page of acts", auditSchema, {
        acts: [
          {
            id: "owner-7a0c5b43-6d9b-4f6c-9a51-2f6f3f1f2b10",
            at: "2025-12-19T02:20:00Z",
            who: { kind: "person", id: "p-0b0f6f0e-6f43-4c3f-9a0e-0a0c4c0e3d1f", name: "Ada" },
            act: "changePerson",
            subject: "p-6f1e0d5c-2b3a-4c5d-8e7f-9a0b1c2d3e4f",
            detail: { name: "Bea", role: "viewer" },
          },
        ],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const { acts, next } = await listActs(c.env.DB, userIdOf(c.var.principal), {
      before: query.cursor ?? null,
      limit: query.limit,
      since: Date.now() - AUDIT_KEPT_MS,
    });
    return c.json({ acts: acts.map(viewOf), next_cursor: encodePosition(next) });
  }
}

function viewOf({ id, at, who, act, subject, detail }: Act): z.infer<typeof actSchema> {
  return {
    id,
    at: toIso(at),
    who: who.kind === "operator" ? { kind: who.kind, id: null, name: null } : who,
    act,
    subject,
    detail: { ...detail },
  };
}

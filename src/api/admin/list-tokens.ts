import { z } from "zod";
import { roleSchema } from "../../accounts/roles.ts";
import { listUserTokens } from "../../accounts/user-tokens.ts";
import { idCursor, nextIdCursor, pageLimit } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { instant, instantOrNull } from "../instances/instant.ts";
import { demandUser, userParams } from "./act.ts";

const tokensSchema = component(
  "UserTokenList",
  z.object({
    tokens: z.array(
      component(
        "ListedUserToken",
        z.object({
          token_id: z.string().describe("Revoke it by this"),
          name: z.string(),
          role: roleSchema,
          created_at: instant,
          expires_at: instant.nullable().describe("Null: it does not end"),
          last_used_at: instant.nullable().describe("At most ten minutes too old"),
          revoked_at: instant.nullable(),
        }),
      ),
    ),
    next_cursor: z.string().nullable(),
  }),
);

export class ListUserTokens extends Endpoint {
  override schema = {
    operationId: "listUserTokens",
    tags: ["Administration"],
    summary: "List the tokens of a user",
    description: "Without the tokens themselves: those are shown once, when they are made.",
    security: security("admin"),
    request: { params: userParams, query: z.object({ limit: pageLimit(100), cursor: idCursor.optional() }) },
    responses: {
      200: jsonResponse("A page of tokens, in the order of their ids", tokensSchema, {
        tokens: [
          {
            token_id: "t-3c2f6c1e-5f0f-4a8e-9d65-0f6a1f0f7a11",
            name: "laptop",
            role: "owner",
            created_at: "2025-12-18T11:50:00Z",
            expires_at: null,
            last_used_at: "2025-12-19T03:20:00Z",
            revoked_at: null,
          },
        ],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const tokens = await listUserTokens(c.env.DB, params.id, query.cursor ?? "", query.limit);
    return c.json({
      tokens: tokens.map((token) => ({
        token_id: token.id,
        name: token.name,
        role: token.role,
        created_at: toIso(token.createdAt),
        expires_at: instantOrNull(token.expiresAt),
        last_used_at: instantOrNull(token.lastUsedAt),
        revoked_at: instantOrNull(token.revokedAt),
      })),
      next_cursor: nextIdCursor(
        tokens.map(({ id }) => id),
        query.limit,
      ),
    });
  }
}

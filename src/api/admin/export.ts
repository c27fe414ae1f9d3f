import { z } from "zod";
import { isUserDeleted } from "../../accounts/users.ts";
import { exportPage } from "../../backup/export.ts";
import { bringLines } from "../../backup/import.ts";
import { lineSchema, userIdSchema } from "../../backup/lines.ts";
import { exportPlaceSchema, FIRST_EXPORT } from "../../backup/place.ts";
import { encodeId, idCursor } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { readSettings } from "../../platform/settings.ts";
import { demandUser, userParams } from "./act.ts";

/** All that the service keeps of a user, out and in again. `npm run export` and `npm run import` use these. */

const exportCursor = idCursor.pipe(jsonText(exportPlaceSchema));

const exportedLineSchema = component("ExportedLine", lineSchema);

const exportSchema = component(
  "ExportedPage",
  z.object({ lines: z.array(exportedLineSchema), next_cursor: z.string().nullable() }),
);

const exportQuery = z.object({
  cursor: exportCursor.optional(),
  secrets: z
    .enum(["true", "false"])
    .default("true")
    .describe("`false` leaves channels and credentials out. They are sealed in any case"),
});

export class ExportUser extends Endpoint {
  override schema = {
    operationId: "exportUser",
    tags: ["Administration"],
    summary: "Read all that is kept of a user",
    description:
      "Pages of lines, the account first and the history last, until `next_cursor` is null. Where the owner's policy changes meanwhile the answer is 409, and the export is begun anew: else its instances would come in under another policy than theirs. Nothing secret is readable in them: tokens are not kept, and channels and credentials are sealed by SEAL_KEY.",
    security: security("admin"),
    request: { params: userParams, query: exportQuery },
    responses: {
      200: jsonResponse("A page of lines", exportSchema, {
        lines: [{ type: "user", name: "Ada", created_at: 1766058600000 }],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const place = query.cursor ?? FIRST_EXPORT;
    const page = await exportPage(c.env, params.id, place, query.secrets === "true");
    if (page === null) throw notFound();
    if (page === "policy_changed") {
      throw new ApiError(
        "not_possible",
        "The owner's policy has changed since the export began: begin it anew",
      );
    }
    const { lines, next } = page;
    return c.json({ lines, next_cursor: next === null ? null : encodeId(JSON.stringify(next)) });
  }
}

/** A page of an export fits: an instance is 64 KiB at most. */
const MAXIMUM_IMPORT_BYTES = 2 * 1024 * 1024;

const importSchema = component(
  "ImportRequest",
  z.strictObject({
    from_user_id: userIdSchema.describe("Of the export's first line"),
    exported_at: z.int().min(0).describe("Of the export's first line"),
    lines: z.array(exportedLineSchema).min(1).max(200),
  }),
);

const importedSchema = component(
  "Imported",
  z.object({
    success: z.literal(true),
    brought: z.int().describe("Lines that were new here"),
    known: z.int().describe("Lines of what is here already, which stays as it is"),
    refused: z.array(z.object({ index: z.int(), message: z.string() })),
  }),
);

export class ImportUser extends Endpoint {
  override schema = {
    operationId: "importUser",
    tags: ["Administration"],
    summary: "Take lines of an export in",
    description:
      "In the order of the export; the same lines may be sent again. The user is made by the line of the type `user`. Instances go on as they were, and count as silent only once they have been heard here: nothing is done for the time in between. One that was removed here since is refused. So is one whose owner's policy this service does not have, and a policy that it can't read as a whole. A suspended user comes suspended. Under another user id their tokens must be issued anew.",
    security: security("admin"),
    request: {
      params: z.object({ id: userIdSchema }),
      body: jsonBody(importSchema, {
        from_user_id: "u-0b0f6f0e-6f43-4c3f-9a0e-0a0c4c0e3d1f",
        exported_at: 1766144460000,
        lines: [{ type: "user", name: "Ada", created_at: 1766058600000 }],
      }),
    },
    responses: {
      200: jsonResponse("What became of the lines", importedSchema, {
        success: true,
        brought: 1,
        known: 0,
        refused: [],
      }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override readonly maximumBodyBytes = MAXIMUM_IMPORT_BYTES;

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const { lines } = body;
    if (await isUserDeleted(c.env.DB, params.id)) {
      throw new ApiError("deleted", "A user of this id was deleted here for good: take another id");
    }
    const isNew = lines.some(({ type }) => type === "user");
    if (!isNew) await demandUser(c, params.id);
    const target = {
      userId: params.id,
      from: body.from_user_id,
      exportedAt: body.exported_at,
      channels: readSettings(c.env).CHANNELS_PER_USER,
      connections: readSettings(c.env).PROVIDER_CONNECTIONS_PER_USER,
    };
    const outcomes = await bringLines(c.env, target, lines);
    return c.json({
      success: true,
      brought: outcomes.filter(({ outcome }) => outcome === "brought").length,
      known: outcomes.filter(({ outcome }) => outcome === "known").length,
      refused: outcomes.flatMap((one, index) =>
        one.outcome === "refused" ? [{ index, message: one.because }] : [],
      ),
    });
  }
}

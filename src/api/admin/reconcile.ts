import { z } from "zod";
import {
  addFound,
  DIFFERENCES,
  FIRST_PLACE,
  NOTHING_FOUND,
  type ReconcilePlace,
  reconcilePage,
  reconcilePlaceSchema,
} from "../../cleanup/reconcile.ts";
import { countDifferences } from "../../cleanup/weekly.ts";
import { encodeId, idCursor } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { demandUser, userParams } from "./act.ts";

/** One answer covers at most this many pages of fifty instances, and begins no further one after this long. */
const PAGES_PER_CALL = 8;
const BEGIN_WITHIN_MS = 15 * SECOND_MS;

const placeCursor = idCursor.pipe(jsonText(reconcilePlaceSchema));

const differencesSchema = z.record(z.enum(DIFFERENCES), z.int());

const reconciledSchema = component(
  "Reconciled",
  z.object({
    success: z.literal(true),
    looked: z.int().describe("Instances that were looked at"),
    unknown: z.int().describe("Of these, those that did not answer or that can't be read"),
    mended: differencesSchema.describe("What was found apart and is mended, by its kind"),
    next_cursor: z.string().nullable().describe("Where to go on; null when the user is through"),
  }),
);

export class ReconcileUser extends Endpoint {
  override schema = {
    operationId: "reconcileUser",
    tags: ["Administration"],
    summary: "Hold a user's registry, instances and counts against each other, and mend them",
    description:
      "As every week for all users. Call it again with `next_cursor` until that is null. A second time finds nothing.",
    security: security("admin"),
    request: {
      params: userParams,
      query: z.object({ cursor: placeCursor.optional() }),
    },
    responses: {
      200: jsonResponse("What was found apart, and is mended", reconciledSchema, {
        success: true,
        looked: 120,
        unknown: 0,
        mended: {
          row_without_actor: 1,
          row_outdated: 0,
          actor_set_back: 0,
          actor_without_row: 0,
          alarm_lost: 2,
          claim_without_instance: 0,
          standing_wrong: 0,
          counts_wrong: 0,
          silences_wrong: 0,
        },
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const until = Date.now() + BEGIN_WITHIN_MS;
    let place: ReconcilePlace | null = query.cursor ?? FIRST_PLACE;
    let found = NOTHING_FOUND;
    for (let page = 0; place !== null && page < PAGES_PER_CALL && Date.now() <= until; page++) {
      const done = await reconcilePage(c.env, params.id, place);
      found = addFound(found, done.found);
      place = done.next;
    }
    countDifferences(c.env, c.executionCtx, found);
    return c.json({
      success: true,
      looked: found.looked,
      unknown: found.unknown,
      mended: Object.fromEntries(
        DIFFERENCES.map((difference) => [difference, found.differences[difference] ?? 0]),
      ),
      next_cursor: place === null ? null : encodeId(JSON.stringify(place)),
    });
  }
}

import { z } from "zod";
import { readEvents } from "../../history/read.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { encodePosition } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid } from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { security } from "../../http/openapi.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { eventsQuery, eventsResponse } from "../events.ts";
import { eventPlaces } from "./history.ts";
import { instantQuery } from "./instant.ts";
import { instanceParams } from "./schemas.ts";

/** More are no filter. */
const MOST_KINDS = 100;

const ownEventsQuery = eventsQuery.extend({
  from: instantQuery.optional(),
  to: instantQuery.optional(),
  kind: z
    .array(z.string().min(1).max(100))
    .max(MOST_KINDS)
    .optional()
    .describe("Events of this kind. Several: of any of them"),
  severity: z
    .array(severitySchema)
    .max(severitySchema.options.length)
    .optional()
    .describe("Events of this severity. Several: of any of them"),
});

export class ListInstanceEvents extends Endpoint {
  override readonly repeatedQuery = ["kind", "severity"];

  override schema = {
    operationId: "listInstanceEvents",
    tags: ["History"],
    summary: "Read what happened to an instance, newest first",
    description: "Both ends of the range are included.",
    security: security("user"),
    request: { params: instanceParams, query: ownEventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { from = 0, to } = query;
    if (to !== undefined && from > to)
      throw invalid([{ path: "query.from", message: text("must.not_be_after_to") }]);
    const databases = await eventPlaces(c.env, userId, params.id);
    const { entries, next } = await readEvents(databases, {
      userId,
      instanceId: params.id,
      limit: query.limit,
      before: query.cursor ?? (to === undefined ? null : { at: to + 1, tie: "" }),
      from,
      kinds: query.kind ?? null,
      severities: query.severity ?? null,
      reader: readerOfRequest(c),
    });
    return c.json({ events: entries, next_cursor: encodePosition(next) });
  }
}

import { z } from "zod";
import { liveRequest } from "../fleet/live/live.ts";
import { LIVE_PROTOCOL, type LiveMessage } from "../fleet/live/messages.ts";
import { guardView } from "../fleet/views/views.ts";
import { userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, invalid } from "../http/errors.ts";
import { knownZone, readerOfRequest } from "../http/language.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { LANGUAGES } from "../lifecycle/model/words/said.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { OPEN_GUARD } from "../lifecycle/rules/outage-guard.ts";
import { fleetOf } from "../platform/address.ts";
import { eventSchema } from "./events.ts";
import { runningExample } from "./instances/examples.ts";
import { guardSchema, summarySchema } from "./instances/schemas.ts";

/** The live connection: a WebSocket that carries the fleet, and then whatever changes in it. */

const revisionSchema = z.number().describe("The fleet's: it grows with each change and each event");

const takesSight = z
  .boolean()
  .optional()
  .describe(
    "Whether the client may send `sight`. Absent from the release before, which ends the connection upon it",
  );

const snapshotSchema = component(
  "LiveSnapshot",
  z
    .object({
      type: z.literal("snapshot"),
      server_time: z.string(),
      revision: revisionSchema,
      rows: z.array(summarySchema).readonly(),
      is_last: z.boolean(),
      guard: guardSchema,
      takes_sight: takesSight,
    })
    .describe(
      "A page of the whole fleet, in the order of the ids. What changes meanwhile follows after the last one",
    ),
);

const rowsSchema = component(
  "LiveRows",
  z
    .object({
      type: z.literal("rows"),
      server_time: z.string(),
      revision: revisionSchema,
      rows: z.array(summarySchema).readonly().describe("Instances that changed or are new"),
      removed: z.array(z.string()).readonly().describe("Ids to take out before `rows` are put in"),
      guard: guardSchema,
      takes_sight: takesSight,
    })
    .describe("All changes up to `revision` have been sent: a lost connection resumes there"),
);

const eventsSchema = component(
  "LiveEvents",
  z
    .object({ type: z.literal("events"), events: z.array(eventSchema).readonly() })
    .describe(
      "What happened, oldest first. A `rows` follows; a connection lost before it brings these events again",
    ),
);

const readingsSchema = component(
  "LiveReadings",
  z
    .object({
      type: z.literal("readings"),
      server_time: z.string(),
      rows: z.array(summarySchema).readonly(),
    })
    .describe(
      'Instances as they are now: those of `{"type":"sight","instance_ids":[…]}`, which the client sends, once, and then each at its heartbeats. An instance that the client does not know any more is not to be put in',
    ),
);

const confirmSchema = component(
  "LiveConfirm",
  z
    .object({ type: z.literal("confirm") })
    .describe('Nothing more is sent until the client answers `{"type":"confirmed"}`'),
);

const liveMessageSchema = component(
  "LiveMessage",
  z.discriminatedUnion("type", [
    snapshotSchema,
    rowsSchema,
    eventsSchema,
    readingsSchema,
    confirmSchema,
  ]) satisfies z.ZodType<LiveMessage>,
);

const rowsExample: z.infer<typeof rowsSchema> = {
  type: "rows",
  server_time: "2025-12-19T03:25:45Z",
  revision: 1042,
  rows: [{ ...runningExample, as_of: "2025-12-19T03:25:45Z" }],
  removed: [],
  guard: guardView({ user: OPEN_GUARD, service: OPEN_GUARD }),
  takes_sight: true,
};

const liveQuery = z.object({
  language: z
    .enum(LANGUAGES)
    .optional()
    .describe(
      "In which rows and events are worded: a browser can't choose the `Accept-Language` of a WebSocket",
    ),
  time_zone: z
    .string()
    .max(64)
    .optional()
    .describe(
      "In which times are told within sentences, such as `America/Sao_Paulo`; UTC where it is unknown",
    ),
  since: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe("The `revision` of the last `rows` of a former connection: only what was missed is sent"),
});

export class OpenLiveConnection extends Endpoint {
  override schema = {
    operationId: "openLiveConnection",
    tags: ["Instances"],
    summary: "Watch the fleet over a WebSocket",
    description:
      "Sends the fleet once, then each change and each event within about a quarter of a second, and nothing while nothing happens. A browser offers the subprotocols `dumont` and `bearer.<token>`; others may send the token in the `Authorization` header. See `docs/live.md`.",
    security: security("user"),
    request: { query: liveQuery },
    responses: {
      101: jsonResponse(
        "The connection is open, and each message has this shape",
        liveMessageSchema,
        rowsExample,
      ),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
      throw invalid([{ path: "header.Upgrade", message: text("must.websocket") }]);
    }
    refuseOtherOrigins(c);
    const { userId, by } = userOf(c.var.principal);
    const asking = readerOfRequest(c);
    const offered = c.req.header("Sec-WebSocket-Protocol")?.split(",") ?? [];
    return fleetOf(c.env, userId).fetch(
      liveRequest({
        stemId: by.id,
        sessionId: by.sessionId,
        since: query.since,
        reader: {
          language: query.language ?? asking.language,
          timeZone: query.time_zone === undefined ? asking.timeZone : knownZone(query.time_zone),
        },
        offersProtocol: offered.some((protocol) => protocol.trim() === LIVE_PROTOCOL),
      }),
    );
  }
}

/** A browser lets any page open a WebSocket anywhere, and says which page it is. Other clients say nothing. */
function refuseOtherOrigins(c: ApiContext): void {
  const origin = c.req.header("Origin");
  if (origin === undefined || origin === new URL(c.req.url).origin) return;
  throw new ApiError("forbidden", text("error.other_origin"));
}

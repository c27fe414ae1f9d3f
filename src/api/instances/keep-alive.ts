import { z } from "zod";
import { askedBy, userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid, unavailable } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import type { KeepAliveEnd, KeepAliveOutcome } from "../../instance/outcomes.ts";
import { keepAliveMinutesSchema, LONGEST_KEEP_ALIVE_MS } from "../../lifecycle/model/policy-settings.ts";
import { MINUTE_MS, toIso } from "../../lifecycle/model/time.ts";
import { timeOfDaySchema, timezoneSchema } from "../../lifecycle/model/window-settings.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { refusalError } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

const instantSchema = z.iso.datetime({ offset: true });

const isTimeOfDay = (text: string) => timeOfDaySchema.safeParse(text).success;
const isInstant = (text: string) => instantSchema.safeParse(text).success;

const requestSchema = component(
  "KeepAliveRequest",
  z
    .strictObject({
      minutes: keepAliveMinutesSchema
        .optional()
        .describe("As the policy says, if neither this nor `until` is given"),
      until: z
        .string()
        .max(40)
        .refine((text) => isTimeOfDay(text) || isInstant(text), text("must.be_moment"))
        .optional()
        .describe(
          "In place of `minutes`: a moment, at most a week from now, or a time of day such as `18:00`: then until clocks in `timezone` show it next",
        ),
      timezone: timezoneSchema
        .optional()
        .describe("With a time of day; the one of the policy's schedule, if left out"),
    })
    .refine(({ minutes, until }) => minutes === undefined || until === undefined, {
      path: ["until"],
      message: text("must.not_beside_minutes"),
    })
    .refine(({ until, timezone }) => timezone === undefined || (until !== undefined && isTimeOfDay(until)), {
      path: ["timezone"],
      message: text("must.time_of_day"),
    }),
);

const answerSchema = component(
  "KeepAlive",
  z.object({
    success: z.literal(true),
    message: z.string(),
    valid_for_minutes: z.number(),
    keep_alive_until: z.string().describe("ISO 8601, UTC, whole seconds"),
  }),
);

export class KeepAlive extends Endpoint {
  override schema = {
    operationId: "keepAlive",
    tags: ["Commands"],
    summary: "Keep an instance alive by hand",
    description:
      "For debugging, and for batch instances that run no agent. Until it ends no idle and no orphan step is taken; then both clocks start anew. A shorter keep-alive never cuts a longer one.",
    security: security("user"),
    request: {
      params: instanceParams,
      body: jsonBody(requestSchema.optional(), { minutes: 60 }, false),
    },
    responses: {
      200: jsonResponse("It is kept alive", answerSchema, {
        success: true,
        message: "Manual keep-alive registered",
        valid_for_minutes: 60,
        keep_alive_until: "2025-12-19T15:30:00Z",
      }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body = {} } = await this.getValidatedData<typeof this.schema>();
    const { minutes = null, until, timezone = null } = body;
    const actor = actorOf(c.env, userIdOf(c.var.principal), params.id);
    const { requestId } = c.var;
    const kept =
      until === undefined
        ? await actor.keepAlive(minutes, requestId, askedBy(c))
        : await answerOr<KeepAliveOutcome | null>(
            actor.keepAliveUntil(endOf(until, timezone, Date.now()), requestId, askedBy(c)),
            null,
          );
    // Its object still runs the former release.
    if (kept === null) throw unavailable(60);
    if (kept.outcome !== "accepted") throw refusalError(kept);
    const { validForMinutes, until: end = Date.now() + validForMinutes * MINUTE_MS } = kept;
    return c.json({
      success: true,
      message: "Manual keep-alive registered",
      valid_for_minutes: validForMinutes,
      keep_alive_until: toIso(end),
    });
  }
}

function endOf(until: string, timezone: string | null, now: number): KeepAliveEnd {
  if (isTimeOfDay(until)) return { timeOfDay: until, timezone };
  const at = Date.parse(until);
  const message =
    at <= now
      ? text("must.be_future")
      : at > now + LONGEST_KEEP_ALIVE_MS
        ? text("must.be_within_week")
        : null;
  if (message !== null) throw invalid([{ path: "body.until", message }]);
  return { at };
}

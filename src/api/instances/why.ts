import { z } from "zod";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import {
  errorResponses,
  invalid,
  issueAt,
  notFound,
  tooManyRequests,
  unavailable,
  unreadable,
} from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { jsonResponse, security } from "../../http/openapi.ts";
import { compilePolicy } from "../../lifecycle/model/policy.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS, toIso } from "../../lifecycle/model/time.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import type { Said } from "../../lifecycle/model/words/said.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { readSettings } from "../../platform/settings.ts";
import { FormerObject, type StoryFound, storyOf } from "../../previews/story.ts";
import type { PolicyInForce, Story } from "../../replay/story.ts";
import { LOOKED_BACK_MS, whyAt } from "../../replay/why.ts";
import { instanceParams } from "./schemas.ts";
import { eventsAround, policiesAround } from "./why-events.ts";
import { whyExample } from "./why-example.ts";
import { whySchema, whyView } from "./why-schema.ts";

const whyQuery = z.object({
  at: z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .describe("The moment: ISO 8601 with time zone"),
});

/** Readings that came within so long after the moment are shown, too. */
const LOOKED_AHEAD_MS = 30 * MINUTE_MS;

/** Clocks differ. */
const SKEW_MS = 5 * SECOND_MS;

export class WhyThen extends Endpoint {
  override schema = {
    operationId: "whyThen",
    tags: ["History"],
    summary: "See what the policy saw and thought of an instance at a moment of the past",
    description:
      "The readings around the moment are judged one by one by the policy that was in force, and what came next is told as it was seen then: the past is retraced from the heartbeats and events that are kept. Where only hours are, the hour of the moment is answered.",
    security: security("user"),
    request: { params: instanceParams, query: whyQuery },
    responses: {
      200: jsonResponse("What it saw", whySchema, whyExample),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { success } = await c.env.WHY_LIMIT.limit({ key: userId });
    if (!success) throw tooManyRequests(text("error.questions_too_fast"));
    const settings = readSettings(c.env);
    const now = Date.now();
    mustBeKept(query.at, now, settings.HOURS_RETENTION_DAYS);
    const period = {
      from: query.at - LOOKED_BACK_MS,
      to: Math.min(Math.max(query.at, now), query.at + LOOKED_AHEAD_MS),
    };
    const found = await foundOrThrow(storyOf(c.env, userId, params.id, period, []));
    const at = momentOf(query.at, found.story);
    const whose = { userId, instanceId: params.id };
    const story = { ...found.story, policies: await policiesAround(c.env, whose, found) };
    const compile = (inForce: PolicyInForce) =>
      compilePolicy(inForce.settings, settings.SIMULATION_SPEED, inForce.suspended);
    const reader = readerOfRequest(c);
    const why = whyAt(story, at, compile, reader);
    const events = await eventsAround(c.env, whose, found.basis.shard, at, reader);
    return c.json(whyView(params.id, why, events));
  }
}

function mustBeKept(at: number, now: number, keptDays: number): void {
  if (at > now + SKEW_MS) throw notThen(text("must.not_be_future"));
  const keptFrom = now - keptDays * DAY_MS;
  if (at < keptFrom) throw notThen(phrase("must.not_be_before_kept", { at: toIso(keptFrom) }));
}

/** Events tell their moments to the second, and the first one is the registration. */
function momentOf(at: number, { profile: { registeredAt } }: Story): number {
  if (at < registeredAt - (registeredAt % SECOND_MS)) {
    throw notThen(phrase("must.not_be_before_registration", { at: toIso(registeredAt) }));
  }
  return Math.max(at, registeredAt);
}

function notThen(said: Said) {
  return invalid([issueAt("query.at", said)]);
}

async function foundOrThrow(asked: Promise<StoryFound>) {
  const found = await asked.catch((error: unknown) => {
    throw error instanceof FormerObject ? unavailable(60) : error;
  });
  switch (found.outcome) {
    case "found":
      return found;
    case "removed":
      throw notFound();
    case "unreadable":
      throw unreadable();
  }
}

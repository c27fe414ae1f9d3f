import { z } from "zod";
import type { RoundProgress } from "../../fleet/rounds.ts";
import type { Asked } from "../../fleet/rules/hibernation-round.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import { writeTag } from "../../lifecycle/model/tags.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { instant } from "../instances/instant.ts";
import { NAMED_AT_MOST } from "./start.ts";

/** What became of the instances that were to be hibernated. */

const progressSchema = component(
  "HibernateAllProgress",
  z.object({
    at: instant.describe("When it was asked for"),
    by: z.enum(["kill_switch", "budget"]),
    filter: z.record(z.string(), z.union([z.string(), z.boolean()])),
    respect_keep_alive: z.boolean(),
    hibernate: z.number().describe("How many were to be hibernated"),
    skip: z.number(),
    saves_hourly: z.number(),
    unknown_rates: z.number(),
    is_over: z.boolean().describe("Whether all were asked"),
    waiting: z.number().describe("Still to be asked, perhaps again"),
    ended: z
      .record(z.string(), z.number())
      .describe(
        "How many ended how: `ordered`; `within_budget` (the budget was raised, or its day or month over, before it was asked); `out_of_reach`, `unreadable`, `dropped` (the account was suspended or set back); `unknown` (removed); `observe` (asked by a budget, and its policy only observes); or the code of the refusal, such as `hibernated`, `kept_alive`, `not_idle`, `changed`",
      ),
    not_ordered: z
      .array(z.object({ instance_id: z.string(), because: z.string() }))
      .describe(
        `At most ${NAMED_AT_MOST.toLocaleString("en")}: those that wait, and those that ended otherwise`,
      ),
  }),
);

const lastSchema = component(
  "HibernateAllLast",
  z.object({
    last: z.union([progressSchema, z.null()]).describe("The last one that somebody asked for"),
    last_by_budget: z.union([progressSchema, z.null()]).describe("The last one that a budget brought about"),
  }),
);

export class GetHibernateAll extends Endpoint {
  override schema = {
    operationId: "getHibernateAll",
    tags: ["Commands"],
    summary: "See how far the last hibernation of many has come",
    description: "An instance that was asked for anew since counts with the newer one.",
    security: security("user"),
    responses: {
      200: jsonResponse("The last ones", lastSchema, {
        last: {
          at: "2025-12-19T03:25:45Z",
          by: "kill_switch",
          filter: { only_idle: true },
          respect_keep_alive: true,
          hibernate: 2,
          skip: 1,
          saves_hourly: 0.78,
          unknown_rates: 0,
          is_over: false,
          waiting: 1,
          ended: { ordered: 1 },
          not_ordered: [{ instance_id: "28864631", because: "waiting" }],
        },
        last_by_budget: null,
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    const [last, byBudget] = await Promise.all(
      (["kill_switch", "budget"] as const).map(async (by) =>
        progressView(by, await answerOr(fleet.lastRound(by, NAMED_AT_MOST), null)),
      ),
    );
    return c.json({ last, last_by_budget: byBudget });
  }
}

function progressView(
  by: Asked["by"],
  progress: RoundProgress | null,
): z.infer<typeof progressSchema> | null {
  if (progress === null) return null;
  const { round, ends, left } = progress;
  const { onlyIdle, status, respectKeepAlive, provider, connection, tag } = round.asked;
  const waiting = ends.find(({ end }) => end === null)?.instances ?? 0;
  return {
    at: toIso(round.askedAt),
    by,
    filter: {
      ...(status === null ? {} : { status }),
      ...(provider === undefined ? {} : { provider }),
      ...(connection === undefined ? {} : { connection }),
      ...(tag === undefined ? {} : { tag: tag.map(writeTag).join() }),
      ...(onlyIdle ? { only_idle: true } : {}),
    },
    respect_keep_alive: respectKeepAlive,
    hibernate: round.hibernate,
    skip: round.skip,
    saves_hourly: roundDollars(round.savesHourly),
    unknown_rates: round.unknownRates,
    is_over: waiting === 0,
    waiting,
    ended: Object.fromEntries(ends.flatMap(({ end, instances }) => (end === null ? [] : [[end, instances]]))),
    not_ordered: left.map(({ instanceId, end }) => ({ instance_id: instanceId, because: end ?? "waiting" })),
  };
}

import { z } from "zod";
import type { Asked, RoundCounts } from "../../fleet/rules/hibernation-round.ts";
import type { RoundLine, RoundPlan, RoundRequest } from "../../fleet/views/round-plan.ts";
import { answerOrUnavailable } from "../../http/answered.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, suspended } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import { providerKindSchema } from "../../lifecycle/model/provider.ts";
import { tagSchema } from "../../lifecycle/model/tags-schema.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { fleetOf } from "../../platform/address.ts";
import { instant } from "../instances/instant.ts";
import { connectionIdSchema, statusSchema } from "../instances/schemas.ts";

/** The kill switch: hibernates many instances at once. */

/** So many instances are named; all are counted. */
export const NAMED_AT_MOST = 1000;

const filterSchema = component(
  "HibernateAllFilter",
  z
    .strictObject({
      status: statusSchema.optional(),
      provider: providerKindSchema.optional(),
      connection: connectionIdSchema.optional(),
      tag: tagSchema.optional().describe("`key:value`: those that have this tag"),
      only_idle: z.boolean().optional().describe("Those alone that are idle past the warning"),
    })
    .describe("Whom it is about; without a filter all"),
);

const requestSchema = component(
  "HibernateAllRequest",
  z.strictObject({
    filter: filterSchema.optional(),
    respect_keep_alive: z.boolean().default(true).describe("`false`: also those that are kept alive now"),
    dry_run: z.boolean().default(false).describe("`true`: says what would be done, and does nothing"),
  }),
);

const lineSchema = component(
  "HibernateAllInstance",
  z.object({
    instance_id: z.string(),
    name: z.string(),
    status: statusSchema,
    rate: z.number().nullable().describe("Dollars an hour now; null while unknown"),
    saves_hourly: z
      .number()
      .nullable()
      .describe("0 for one that is skipped; null while its price is unknown"),
    does: z.enum(["hibernate", "skip"]),
    because: z
      .string()
      .describe(
        "Of those to be hibernated what they do: `working`, `idle`, `silent`. Else why not: `kept_alive`; `pending` (never heard: somebody else may use it), `hibernating`, `hibernated`, `waking`, `deleting`, `deleted`; or what stands against orders, as `control.why_not`",
      ),
  }),
);

const countFields = {
  at: instant.describe("When it was asked for"),
  hibernate: z.number().describe("How many are to be hibernated"),
  skip: z.number(),
  skipped: z.record(z.string(), z.number()).describe("How many are skipped, by `because`"),
  unknown_rates: z.number().describe("Of those to be hibernated: whose price is unknown, and not counted"),
  instances: z
    .array(lineSchema)
    .describe(`At most ${NAMED_AT_MOST.toLocaleString("en")}, those to be hibernated first`),
  is_more: z.boolean().describe("Whether there are more than `instances` names"),
};

const SAVES =
  "Dollars an hour once all are hibernated, of those whose price is known. What a stopped one still costs counts as nothing where nobody has said it, as in the savings";

const dryRunSchema = component(
  "HibernateAllDryRun",
  z.object({
    dry_run: z.literal(true),
    would_save_hourly: z.number().describe(SAVES),
    ...countFields,
  }),
);

const orderedSchema = component(
  "HibernateAllOrdered",
  z.object({
    dry_run: z.literal(false),
    saves_hourly: z.number().describe(SAVES),
    ...countFields,
  }),
);

const exampleCounts = {
  at: "2025-12-19T03:25:45Z",
  hibernate: 1,
  skip: 1,
  skipped: { kept_alive: 1 },
  unknown_rates: 0,
  instances: [
    {
      instance_id: "28864630",
      name: "ML Training Rig",
      status: "running",
      rate: 0.4,
      saves_hourly: 0.39,
      does: "hibernate",
      because: "working",
    },
    {
      instance_id: "28864631",
      name: "Inference",
      status: "running",
      rate: 2.5,
      saves_hourly: 0,
      does: "skip",
      because: "kept_alive",
    },
  ],
  is_more: false,
} satisfies Omit<z.infer<typeof orderedSchema>, "dry_run" | "saves_hourly">;

export class HibernateAll extends Endpoint {
  override schema = {
    operationId: "hibernateAll",
    tags: ["Commands"],
    summary: "The kill switch: hibernate many instances at once",
    description:
      "With `dry_run` it says what would be done and saved, and does nothing. Else each instance is ordered to hibernate within a minute or so, as by hand, after it has decided anew whether it is meant: one that was woken, kept alive or registered since is spared, and with `only_idle` one that works again. Who can't be reached is tried for an hour; the owner is told of those that are left. A machine with hooks is prepared first, as by hand. The outage guard holds nothing of it back. Asking twice orders nothing twice.",
    security: security("user"),
    request: { body: jsonBody(requestSchema, { filter: { only_idle: true }, dry_run: true }) },
    responses: {
      200: jsonResponse("What would be done", dryRunSchema, {
        dry_run: true,
        would_save_hourly: 0.39,
        ...exampleCounts,
      }),
      202: jsonResponse("It is being done", orderedSchema, {
        dry_run: false,
        saves_hourly: 0.39,
        ...exampleCounts,
      }),
      ...errorResponses(400, 401, 403, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { only_idle: onlyIdle = false, status = null, tag, ...place } = body.filter ?? {};
    const filter = { ...place, ...(tag === undefined ? {} : { tag: [tag] }) };
    const asked: Asked = { by: "kill_switch", respectKeepAlive: body.respect_keep_alive, onlyIdle, status };
    const request: RoundRequest = { asked, filter, requestId: c.var.requestId };
    const plan = await answerOrUnavailable<RoundPlan | null>(
      fleetOf(c.env, userIdOf(c.var.principal)).hibernateAll(request, body.dry_run, NAMED_AT_MOST),
    );
    if (plan === null) throw suspended();
    const { at, counts, lines, isMore } = plan;
    const rest = { at: toIso(at), ...countsView(counts), instances: lines.map(lineView), is_more: isMore };
    const saves = roundDollars(counts.savesHourly);
    return body.dry_run
      ? c.json({ dry_run: true, would_save_hourly: saves, ...rest })
      : c.json({ dry_run: false, saves_hourly: saves, ...rest }, 202);
  }
}

function countsView({ hibernate, skip, skipped, unknownRates }: RoundCounts) {
  return { hibernate, skip, skipped, unknown_rates: unknownRates };
}

function lineView({ instanceId, name, status, rate, verdict }: RoundLine) {
  const saves = verdict.does === "skip" ? 0 : verdict.savesHourly;
  return {
    instance_id: instanceId,
    name,
    status,
    rate,
    saves_hourly: saves === null ? null : roundDollars(saves),
    does: verdict.does,
    because: verdict.because,
  };
}

import { z } from "zod";
import { shownView } from "../../fleet/report.ts";
import { isWanted } from "../../fleet/views/list-filter.ts";
import type { SummaryPage } from "../../fleet/views/summaries.ts";
import { guardView } from "../../fleet/views/views.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { encodeId, idCursor, pageLimit } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { answerUnlessKnown, answerVersion, notModified } from "../../http/entity-tag.ts";
import { errorResponses, UNREADABLE_MESSAGE } from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { askActors } from "../../instance/ask.ts";
import { isReadable, isUnreadable } from "../../instance/outcomes.ts";
import { providerKindSchema } from "../../lifecycle/model/provider.ts";
import { hasTags, MOST_TAGS } from "../../lifecycle/model/tags.ts";
import { tagSchema } from "../../lifecycle/model/tags-schema.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import { say } from "../../lifecycle/model/words/say.ts";
import { OPEN_GUARD } from "../../lifecycle/rules/outage-guard.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { fleetOf } from "../../platform/address.ts";
import { standingsFor } from "../../providers/connections.ts";
import { orphanedExample, runningExample } from "./examples.ts";
import {
  connectionIdSchema,
  guardSchema,
  healthSchema,
  instanceIdSchema,
  liveSchema,
  statusSchema,
  summarySchema,
} from "./schemas.ts";

const unreadableSchema = component(
  "UnreadableInstance",
  z
    .object({
      instance_id: z.string(),
      error: z.object({ code: z.literal("unreadable"), message: z.string() }),
    })
    .describe(
      "An instance whose stored state this version of the service cannot read; nothing is done about it",
    ),
);

type UnreadableInstance = z.infer<typeof unreadableSchema>;

const listSchema = component(
  "InstanceList",
  z.object({
    server_time: z.string(),
    instances: z.array(z.union([summarySchema, liveSchema, unreadableSchema])),
    next_cursor: z.string().nullable(),
    guard: guardSchema,
  }),
);

const listExample: z.infer<typeof listSchema> = {
  server_time: "2025-12-19T03:25:45Z",
  instances: [runningExample, orphanedExample],
  next_cursor: null,
  guard: guardView({ user: OPEN_GUARD, service: OPEN_GUARD }),
};

/** As many fit in an address, whatever their length. */
const MAXIMUM_IDS = 100;

const idsQuery = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(instanceIdSchema).max(MAXIMUM_IDS))
  .describe("These alone, separated by commas; at most a hundred");

const listQuery = z.object({
  view: z
    .enum(["full", "summary"])
    .default("full")
    .describe("`full`: as each instance is now. `summary`: as each last reported, at far less cost"),
  status: statusSchema.optional(),
  health: healthSchema.optional(),
  provider: providerKindSchema.optional(),
  connection: connectionIdSchema.optional().describe("Those that are called by this connection"),
  nobody_can_stop: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional()
    .describe("Those of `control.nobody_can_stop`"),
  tag: z
    .array(tagSchema)
    .max(MOST_TAGS)
    .optional()
    .describe("`key:value`: those that have this tag. Several: those that have all of them"),
  text: z.string().trim().min(1).max(200).optional().describe("A part of the name, the id or provider_ref"),
  ids: idsQuery.optional(),
  limit: pageLimit(200),
  cursor: idCursor.optional(),
});

type ListQuery = z.infer<typeof listQuery>;

export class ListInstances extends Endpoint {
  override readonly repeatedQuery = ["tag"];

  override schema = {
    operationId: "listInstances",
    tags: ["Instances"],
    summary: "List instances as they are now",
    description:
      "In the order of their ids. With an `ETag` for polling. With a filter a page may hold fewer than `limit`: follow `next_cursor` until it is null. `view=summary` gives each instance as it last reported, with `as_of`; it reports what happens to it and not each heartbeat, so `health=late`, which comes with time alone, is found in the full view. An instance whose stored state cannot be read is an entry with `error` in place of the rest, in full lists without a filter.",
    security: security("user"),
    request: { query: listQuery },
    responses: {
      200: jsonResponse("The user's instances", listSchema, listExample),
      304: notModified,
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const fleet = fleetOf(c.env, userId);
    const reader = readerOfRequest(c);
    const [page, guards] = await Promise.all([
      query.view === "summary"
        ? summaries(c.env, userId, query, reader)
        : fullViews(c.env, userId, query, reader),
      fleet.guards(),
    ]);
    const rest = { next_cursor: encodeId(page.end), guard: guardView(guards) };
    const server_time = toIso(Date.now());
    if ("instances" in page) return answerUnlessKnown(c, { server_time, instances: page.instances, ...rest });
    const others = JSON.stringify(rest).slice(1);
    return answerVersion(
      c,
      `${page.version} ${others}`,
      () => `{"server_time":"${server_time}","instances":${page.json},${others}`,
    );
  }
}

const taggedRows = z.array(z.looseObject({ tags: z.record(z.string(), z.string()).default({}) }));

async function summaries(env: Env, userId: string, query: ListQuery, reader: Reader): Promise<SummaryPage> {
  const page = await fleetOf(env, userId).summaries(query, query.cursor ?? "", query.limit, reader);
  const { tag } = query;
  if (tag === undefined) return page;
  // A fleet of the former release has not looked for them.
  const rows = taggedRows.parse(JSON.parse(page.json)).filter(({ tags }) => hasTags(tags, tag));
  return { ...page, json: JSON.stringify(rows) };
}

interface FullPage {
  /** The id with which all that it stands for ends, what it leaves out too; null on the last one. */
  readonly end: string | null;
  readonly instances: readonly (ShownView | UnreadableInstance)[];
}

async function fullViews(env: Env, userId: string, query: ListQuery, reader: Reader): Promise<FullPage> {
  const { status, health, nobody_can_stop, tag = [] } = query;
  // Whether a heartbeat is late comes with time, of which the fleet hears nothing.
  const isOfTime = health === "healthy" || health === "late";
  const filter = { ...query, health: isOfTime ? undefined : health };
  const ids = await fleetOf(env, userId).instanceIds(query.cursor ?? "", query.limit, filter);
  const views = await askActors(
    env,
    userId,
    ids,
    async (actor) => await actor.live(reader.language, reader.timeZone),
  );
  const standings = await standingsFor(
    env,
    userId,
    views.filter((view) => view !== null && isReadable(view)),
  );
  const isFiltered =
    status !== undefined || health !== undefined || nobody_can_stop !== undefined || tag.length > 0;
  const isShown = (view: ShownView): boolean =>
    (status === undefined || view.status === status) &&
    (health === undefined || view.health === health) &&
    hasTags(view.tags, tag) &&
    isWanted(view.control, query);
  const instances = views.flatMap((view, index): (ShownView | UnreadableInstance)[] => {
    const id = ids[index];
    if (view === null || id === undefined) return [];
    if (isUnreadable(view)) return isFiltered ? [] : [unreadableEntry(id, view.because, reader)];
    const shown = shownView(view, standings);
    return isShown(shown) ? [shown] : [];
  });
  return { end: ids.length < query.limit ? null : (ids.at(-1) ?? null), instances };
}

function unreadableEntry(instanceId: string, because: string, reader: Reader): UnreadableInstance {
  return {
    instance_id: instanceId,
    error: { code: "unreadable", message: `${say(reader, UNREADABLE_MESSAGE)}: ${because}` },
  };
}

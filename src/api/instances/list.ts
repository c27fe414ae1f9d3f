import { z } from "zod";
import { readGuards } from "../../fleet/outage-guard.ts";
import { listInstanceIds } from "../../fleet/registry.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { idCursor, nextIdCursor, pageLimit } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { answerUnlessKnown, notModified } from "../../http/entity-tag.ts";
import { errorResponses, UNREADABLE_MESSAGE } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { askActors } from "../../instance/ask.ts";
import { isUnreadable } from "../../instance/outcomes.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { type Guard, OPEN_GUARD } from "../../lifecycle/rules/outage-guard.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { orphanedExample, runningExample } from "./examples.ts";
import { healthSchema, instant, liveSchema, statusSchema } from "./schemas.ts";

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

const guardSchema = component(
  "OutageGuard",
  z
    .object({
      state: z.enum(["open", "closed"]),
      closed_at: instant.nullable(),
      opened_at: instant.nullable().describe("When it last opened"),
      service_wide: z.enum(["open", "closed"]),
    })
    .describe("The mass-outage guard: while it is closed, nothing is done that stems from silence"),
);

const listSchema = component(
  "InstanceList",
  z.object({
    server_time: z.string(),
    instances: z.array(z.union([liveSchema, unreadableSchema])),
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

const listQuery = z.object({
  status: statusSchema.optional(),
  health: healthSchema.optional(),
  limit: pageLimit(200),
  cursor: idCursor.optional(),
});

export class ListInstances extends Endpoint {
  override schema = {
    operationId: "listInstances",
    tags: ["Instances"],
    summary: "List instances as they are now",
    description:
      "In the order of their ids. With an `ETag` for polling. With a filter a page may hold fewer than `limit`: follow `next_cursor` until it is null. An instance whose stored state cannot be read is an entry with `error` in place of the rest, in lists without a filter.",
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
    const [ids, guards] = await Promise.all([
      listInstanceIds(c.env.DB, userId, query.cursor ?? "", query.limit),
      readGuards(c.env.DB, userId),
    ]);
    const views = await askActors(c.env, userId, ids, async (actor) => await actor.live());
    const isWanted = (view: LiveView): boolean =>
      (query.status === undefined || view.status === query.status) &&
      (query.health === undefined || view.health === query.health);
    const isFiltered = query.status !== undefined || query.health !== undefined;
    return answerUnlessKnown(c, {
      server_time: toIso(Date.now()),
      instances: views.flatMap((view, index): (LiveView | UnreadableInstance)[] => {
        const id = ids[index];
        if (view === null || id === undefined) return [];
        if (isUnreadable(view)) return isFiltered ? [] : [unreadableEntry(id, view.because)];
        return isWanted(view) ? [view] : [];
      }),
      next_cursor: nextIdCursor(ids, query.limit),
      guard: guardView(guards),
    });
  }
}

function unreadableEntry(instanceId: string, because: string): UnreadableInstance {
  return {
    instance_id: instanceId,
    error: { code: "unreadable", message: `${UNREADABLE_MESSAGE}: ${because}` },
  };
}

function guardView(guards: { user: Guard; service: Guard }): z.infer<typeof guardSchema> {
  const { user, service } = guards;
  return {
    state: user.closedAt === null ? "open" : "closed",
    closed_at: user.closedAt === null ? null : toIso(user.closedAt),
    opened_at: user.openedAt === null ? null : toIso(user.openedAt),
    service_wide: service.closedAt === null ? "open" : "closed",
  };
}

import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import type { ApiEnvironment } from "../http/environment.ts";
import {
  ApiError,
  errorResponses,
  suspended,
  tooManyRequests,
  unavailable,
  unreadable,
} from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import { heartbeatSchema } from "../lifecycle/model/heartbeat.ts";
import { PREPARATION_CAUSES } from "../lifecycle/model/preparation.ts";
import { sourceSettingsSchema } from "../lifecycle/model/source-settings.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { actorOf } from "../platform/address.ts";
import { count } from "../service/meter.ts";

/** `/api/agent/status`, where agents send their heartbeats. */

const reportSchema = component("HeartbeatReport", heartbeatSchema.extend({ instance_id: z.string() }));

const actionSchema = component(
  "HeartbeatAction",
  z.discriminatedUnion("type", [
    component(
      "HibernateWarningAction",
      z.object({
        type: z.literal("hibernate_warning"),
        message: z.string(),
        countdown_seconds: z.number().describe("True remaining time"),
        rate: z.number().optional().describe("Dollars an hour that it costs; absent where that is not known"),
        would_save_hourly: z
          .number()
          .optional()
          .describe("Of these: dollars an hour that hibernation saves; absent where that is not known"),
      }),
    ),
    component(
      "PrepareAction",
      z.object({
        type: z.literal("prepare"),
        message: z.string(),
        preparation_id: z
          .string()
          .describe("Its hooks run once for an id. Answers carry it until the order is given, or called off"),
        deadline_seconds: z.number().describe("It is hibernated then, prepared or not"),
        because: z.enum(PREPARATION_CAUSES),
      }),
    ),
    component("HibernatingAction", z.object({ type: z.literal("hibernating"), message: z.string() })),
    component(
      "HibernateAction",
      z.object({
        type: z.literal("hibernate"),
        message: z.string(),
        action_id: z.string().describe("The same order may be told twice"),
      }),
    ),
  ]),
);

const answerSchema = component(
  "HeartbeatAnswer",
  z.object({
    success: z.literal(true),
    message: z.string(),
    next_heartbeat_in_seconds: z.number(),
    actions: z.array(actionSchema),
    idle: z
      .object({
        threshold_percent: z.number(),
        metric: z.enum(["gpu", "cpu", "auto"]),
        enabled: z.boolean().describe("False: it must not hibernate itself for idleness"),
        kept_until: z
          .number()
          .nullable()
          .describe("Until when its owner keeps it alive, in seconds since 1970"),
        sources: sourceSettingsSchema,
      })
      .optional()
      .describe("By what a machine judges itself; only where its heartbeat has `dead_man`"),
  }),
);

const reachabilitySchema = component(
  "Reachability",
  z.object({ success: z.literal(true), message: z.string(), server_time: z.string() }),
);

/** The reason under which a refused heartbeat is counted, by the status of its response. */
const REFUSAL_REASONS: Readonly<Record<number, string>> = {
  400: "invalid",
  401: "unauthorised",
  403: "forbidden",
  413: "too_large",
  429: "rate_limited",
};

/** Counts every heartbeat, accepted or refused. */
export const countHeartbeats: MiddlewareHandler<ApiEnvironment> = async (c, next) => {
  await next();
  const { status } = c.res;
  count(
    c.env,
    c.executionCtx,
    "heartbeats",
    status === 200
      ? { outcome: "accepted", reason: "" }
      : { outcome: "refused", reason: REFUSAL_REASONS[status] ?? "unavailable" },
  );
};

/** Made once, and not for each heartbeat. */
const sendHeartbeat = {
  operationId: "sendHeartbeat",
  tags: ["Heartbeats"],
  summary: "Send a heartbeat",
  description:
    "The instance reports its readings and hears what it has to do. Unknown fields are ignored; any reading may be null or left out.",
  security: security("instance"),
  request: {
    body: jsonBody(reportSchema, {
      instance_id: "28864630",
      gpu_utilization: 87,
      vram_used_gb: 18.4,
      cpu_utilization: 45,
      ram_used_gb: 12.0,
      disk_used_gb: 45.2,
      cost_accumulated: 2.4,
      status: "running",
      uptime_seconds: 7200,
    }),
  },
  responses: {
    200: jsonResponse("The heartbeat is kept", answerSchema, {
      success: true,
      message: "Low utilization detected",
      next_heartbeat_in_seconds: 60,
      actions: [
        {
          type: "hibernate_warning",
          message: "GPU <5% utilization for 3min. Hibernating in 2min.",
          countdown_seconds: 120,
          rate: 0.4,
          would_save_hourly: 0.39,
        },
      ],
    }),
    ...errorResponses(400, 401, 403, 413, 429),
  },
};

export class PostStatus extends Endpoint {
  override schema = sendHeartbeat;

  override async handle(c: ApiContext): Promise<Response> {
    const { principal } = c.var;
    if (principal.scope !== "instance") throw new Error("the route requires an instance token");
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { userId, instanceId, tokenGeneration } = principal;
    if (body.instance_id !== instanceId) {
      throw new ApiError("forbidden", text("error.other_instance"));
    }
    const { success } = await c.env.HEARTBEAT_LIMIT.limit({ key: `${userId}/${instanceId}` });
    if (!success) throw tooManyRequests(text("error.heartbeats_too_fast"));
    const { instance_id: _, ...report } = body;
    const taken = await actorOf(c.env, userId, instanceId).heartbeat(
      tokenGeneration,
      report,
      c.var.requestId,
    );
    switch (taken.outcome) {
      case "accepted":
        return c.json({
          success: true,
          message: taken.answer.message,
          next_heartbeat_in_seconds: taken.answer.nextHeartbeatInSeconds,
          actions: taken.answer.actions,
          ...(taken.answer.idle === undefined ? {} : { idle: taken.answer.idle }),
        });
      case "old_token":
        throw new ApiError("unauthorized", text("error.replaced"));
      case "suspended":
        throw suspended();
      case "unknown":
        throw new ApiError("unauthorized", text("error.unwatched"));
      case "unreadable":
        throw unreadable();
      case "unavailable":
        throw unavailable(60);
    }
  }
}

export class GetStatus extends Endpoint {
  override schema = {
    operationId: "checkReachability",
    tags: ["Heartbeats"],
    summary: "Check that the service can be reached",
    responses: {
      200: jsonResponse("It can", reachabilitySchema, {
        success: true,
        message: "Agent System is reachable",
        server_time: "2025-12-19T03:25:30Z",
      }),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    return c.json({
      success: true,
      message: "Agent System is reachable",
      server_time: toIso(Date.now()),
    });
  }
}

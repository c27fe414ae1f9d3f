import { type OpenMetricsContentType, Registry } from "prom-client";
import { z } from "zod";
import type { Principal } from "../accounts/principal.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { security } from "../http/openapi.ts";
import { collectService, collectUser } from "./collect.ts";
import { fillServiceMetrics } from "./service.ts";
import { fillUserMetrics } from "./user.ts";

/** `GET /metrics`: a user's token gets the user's instances, the operator's token gets the service's totals. */

/** Scrapes within this time share one round of calls to the actors. */
const CACHE_MS = 15_000;

/** How many users' texts an isolate keeps. */
const MAXIMUM_CACHED = 50;

const cache = new Map<string, { readonly text: string; readonly madeAt: number }>();

const TEXT = Registry.PROMETHEUS_CONTENT_TYPE;
const OPEN_METRICS = Registry.OPENMETRICS_CONTENT_TYPE;

export class GetMetrics extends Endpoint {
  override schema = {
    operationId: "getMetrics",
    tags: ["Metrics"],
    summary: "Read the metrics, for Prometheus",
    description:
      "Text format 0.0.4, or OpenMetrics when `Accept` asks for it. A user's token gets a series an instance and the user's totals; the operator's gets totals of the service. At most 15 seconds old.",
    security: security("user", "admin"),
    responses: {
      200: {
        description: "The metrics",
        content: {
          "text/plain": {
            schema: z.string(),
            example: 'dumont_agents_orphaned{instance_id="98765432",name="Render Farm"} 1\n',
          },
        },
      },
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const openMetrics = /application\/openmetrics-text/.test(c.req.header("Accept") ?? "");
    const contentType = openMetrics ? OPEN_METRICS : TEXT;
    const { principal } = c.var;
    const key = `${openMetrics} ${principal.scope === "user" ? principal.userId : ""}`;
    const now = Date.now();
    const cached = cache.get(key);
    const text =
      cached !== undefined && now - cached.madeAt < CACHE_MS && now >= cached.madeAt
        ? cached.text
        : await render(c.env, principal, openMetrics);
    if (text !== cached?.text) keep(key, text, now);
    return c.body(text, 200, { "Content-Type": contentType });
  }
}

async function render(env: Env, principal: Principal, openMetrics: boolean): Promise<string> {
  const registry = openMetrics ? newOpenMetricsRegistry() : new Registry();
  if (principal.scope === "user") fillUserMetrics(registry, await collectUser(env, principal.userId));
  else fillServiceMetrics(registry, await collectService(env));
  return registry.metrics();
}

function newOpenMetricsRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(OPEN_METRICS);
  return registry;
}

function keep(key: string, text: string, now: number): void {
  cache.delete(key);
  cache.set(key, { text, madeAt: now });
  const [oldest] = cache.keys();
  if (cache.size > MAXIMUM_CACHED && oldest !== undefined) cache.delete(oldest);
}

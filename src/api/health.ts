import { z } from "zod";
import {
  type DatabaseStanding,
  databaseStandings,
  NEWEST_MIGRATION,
  readDatabases,
} from "../history/standing.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { component, jsonResponse } from "../http/openapi.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { readSettings } from "../platform/settings.ts";
import { version } from "../platform/version.ts";

/** `/healthz`: public, so it says nothing of any user, wakes no object, and asks the databases a few times a minute at most. */

const healthSchema = component(
  "ServiceHealth",
  z.object({
    status: z.enum(["ok", "unfit"]),
    wrong: z.array(z.string()).readonly().describe("What keeps it from being fit, in words"),
    version: z.string(),
    migration: z.string().describe("The newest that this version needs"),
    databases: z
      .array(
        component(
          "DatabaseHealth",
          z.object({
            name: z.string(),
            status: z.enum(databaseStandings),
            migration: z.string().nullable().describe("The newest that was applied to it"),
          }),
        ),
      )
      .readonly(),
    history_shards: z.number(),
    simulation_speed: z.number().describe("1 in real life"),
  }),
);

type Health = z.infer<typeof healthSchema>;

const example: Health = {
  status: "ok",
  wrong: [],
  version,
  migration: NEWEST_MIGRATION,
  databases: [{ name: "DB", status: "ok", migration: NEWEST_MIGRATION }],
  history_shards: 1,
  simulation_speed: 1,
};

const unfitExample: Health = {
  ...example,
  status: "unfit",
  wrong: [`DB: the migration ${NEWEST_MIGRATION} is missing`],
  databases: [{ name: "DB", status: "behind", migration: null }],
};

/** However many ask, an isolate asks the databases once in this time. */
const FRESH_MS = 5 * SECOND_MS;

let last: { readonly health: Health; readonly at: number } | null = null;

export class GetHealth extends Endpoint {
  override schema = {
    operationId: "getHealth",
    tags: ["Service"],
    summary: "Check that the service is fit, and which version it is",
    description:
      "Fit means: each bound database answers, and has every migration that this version needs. A few seconds old at most.",
    responses: {
      200: jsonResponse("It is", healthSchema, example),
      503: {
        ...jsonResponse("It is not: `wrong` says why", healthSchema, unfitExample),
        headers: { "Retry-After": { description: "Seconds to wait", schema: { type: "integer" as const } } },
      },
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const now = Date.now();
    if (last === null || Math.abs(now - last.at) >= FRESH_MS) {
      last = { health: healthOf(c.env, await readDatabases(c.env)), at: now };
    }
    const { health } = last;
    if (health.status === "ok") return c.json(health);
    return c.json(health, 503, { "Retry-After": String(FRESH_MS / SECOND_MS) });
  }
}

function healthOf(env: Env, databases: readonly DatabaseStanding[]): Health {
  const wrong = databases.flatMap(wrongWith);
  return {
    status: wrong.length === 0 ? "ok" : "unfit",
    wrong,
    version,
    migration: NEWEST_MIGRATION,
    databases: [...databases],
    history_shards: databases.length,
    simulation_speed: readSettings(env).SIMULATION_SPEED,
  };
}

function wrongWith({ name, status }: DatabaseStanding): string[] {
  switch (status) {
    case "ok":
      return [];
    case "behind":
      return [`${name}: the migration ${NEWEST_MIGRATION} is missing`];
    case "no_answer":
      return [`${name}: no answer`];
  }
}

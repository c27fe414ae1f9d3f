import { z } from "zod";
import type { InventoryPage, ListedConnection } from "../fleet/inventory.ts";
import type { EntryPlace } from "../fleet/tables/inventory.ts";
import type { InventoryRow } from "../fleet/tables/inventory-rows.ts";
import { userIdOf } from "../http/authenticate.ts";
import { encodeId, idCursor, pageLimit } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, invalid, notFound, suspended, tooManyRequests } from "../http/errors.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { providerKindSchema } from "../lifecycle/model/provider.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { connectionParams } from "./connections.ts";
import { instant } from "./instances/instant.ts";

/** All machines of the user's accounts, as their providers list them. */

const machineSchema = component(
  "InventoryMachine",
  z.object({
    connection: z.string(),
    provider: providerKindSchema,
    ref: z.string().describe("The provider's own id of the machine"),
    name: z.string().nullable(),
    state: z.string().describe("`running`, `starting`, `stopping`, `stopped`, `terminated` or `unknown`"),
    state_since: instant.describe("Since when it has been seen so; starting and running are one"),
    gpu: z.string().nullable(),
    gpus: z.number().nullable(),
    region: z.string().nullable(),
    created_at: instant.nullable(),
    hourly_cost: z.number().nullable().describe("Dollars an hour; null where the provider does not say"),
    stopped_hourly_cost: z.number().nullable(),
    member_of: z.string().nullable().describe("The cluster or group that starts and stops it"),
    watched_by: z.string().nullable().describe("The instance that watches it"),
    told_at: instant.nullable().describe("When its owner was last told that nobody watches it"),
    first_seen_at: instant,
    last_seen_at: instant.describe("Up to an hour old while nothing changes"),
    vanished_at: instant.nullable().describe("The first complete listing without it"),
  }),
);

const connectionSchema = component(
  "InventoryConnection",
  z.object({
    connection: z.string(),
    provider: providerKindSchema,
    name: z.string(),
    listed_at: instant.nullable().describe("When the last listing that succeeded began"),
    complete: z.boolean().nullable().describe("Whether that one showed all of the account"),
    next_at: instant.nullable(),
    problem: z.string().nullable().describe("Why the last listing failed; null when it did not"),
  }),
);

const inventorySchema = component(
  "Inventory",
  z.object({
    machines: z.array(machineSchema),
    connections: z.array(connectionSchema).describe("Those whose provider can list"),
    next_cursor: z.string().nullable(),
  }),
);

const connectionExample: z.infer<typeof connectionSchema> = {
  connection: "vast",
  provider: "vast",
  name: "Vast.ai",
  listed_at: "2025-12-19T03:20:00Z",
  complete: true,
  next_at: "2025-12-19T03:35:00Z",
  problem: null,
};

const inventoryExample: z.infer<typeof inventorySchema> = {
  machines: [
    {
      connection: "vast",
      provider: "vast",
      ref: "28864630",
      name: "ML Training Rig",
      state: "running",
      state_since: "2025-12-18T12:00:00Z",
      gpu: "RTX 4090",
      gpus: 1,
      region: null,
      created_at: "2025-12-18T11:58:00Z",
      hourly_cost: 0.4,
      stopped_hourly_cost: 0.01,
      member_of: null,
      watched_by: null,
      told_at: "2025-12-18T12:15:00Z",
      first_seen_at: "2025-12-18T12:00:00Z",
      last_seen_at: "2025-12-19T03:20:00Z",
      vanished_at: null,
    },
  ],
  connections: [connectionExample],
  next_cursor: null,
};

const inventoryQuery = z.object({
  watched: z
    .enum(["true", "false"])
    .optional()
    .describe("Only machines that an instance watches, or that none does"),
  limit: pageLimit(100),
  cursor: idCursor.optional(),
});

const START: EntryPlace = { provider: "", ref: "" };

/** What a fleet of the release before knows of it. */
const NOTHING: InventoryPage = { machines: [], end: null, connections: [] };

export class GetInventory extends Endpoint {
  override schema = {
    operationId: "getInventory",
    tags: ["Inventory"],
    summary: "See all machines of the connected accounts, watched or not",
    description:
      "Each account whose provider can list is listed every 15 minutes, in the order of providers and references. What several connections list is one machine. One that is gone stays for a week.",
    security: security("user"),
    request: { query: inventoryQuery },
    responses: {
      200: jsonResponse("A page of machines", inventorySchema, inventoryExample),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const after = query.cursor === undefined ? START : placeIn(query.cursor);
    const watched = query.watched === undefined ? null : query.watched === "true";
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    const page = await answerOr(fleet.inventory(after, watched, query.limit), NOTHING);
    return c.json({
      machines: page.machines.map(machineView),
      connections: page.connections.map(connectionView),
      next_cursor: encodeId(page.end === null ? null : JSON.stringify([page.end.provider, page.end.ref])),
    });
  }
}

const placeSchema = z.tuple([z.string(), z.string()]);

function placeIn(cursor: string): EntryPlace {
  try {
    const [provider, ref] = placeSchema.parse(JSON.parse(cursor));
    return { provider, ref };
  } catch {
    throw invalid([{ path: "query.cursor", message: text("must.be_cursor") }]);
  }
}

export class SyncConnection extends Endpoint {
  override schema = {
    operationId: "syncConnection",
    tags: ["Inventory"],
    summary: "List the machines of a connection now",
    description:
      "At most once a minute: then 429. A long list may go on after the answer; `listed_at` then is an earlier one.",
    security: security("user"),
    request: { params: connectionParams },
    responses: {
      200: jsonResponse("How the listing went", connectionSchema, connectionExample),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    const synced = await answerOr<ListedConnection | "too_soon" | "unknown" | "suspended">(
      fleet.syncConnection(params.id),
      "unknown",
    );
    if (synced === "suspended") throw suspended();
    if (synced === "too_soon") {
      throw tooManyRequests(text("error.listed_just_now"));
    }
    if (synced === "unknown") throw notFound();
    return c.json(connectionView(synced));
  }
}

function machineView(machine: InventoryRow): z.infer<typeof machineSchema> {
  return {
    connection: machine.connection,
    provider: machine.provider,
    ref: machine.ref,
    name: machine.name,
    state: machine.state,
    state_since: toIso(machine.stateSince),
    gpu: machine.gpu,
    gpus: machine.gpus,
    region: machine.region,
    created_at: isoOf(machine.createdAt),
    hourly_cost: machine.hourlyCost,
    stopped_hourly_cost: machine.stoppedHourlyCost,
    member_of: machine.memberOf,
    watched_by: machine.watchedBy,
    told_at: isoOf(machine.toldAt),
    first_seen_at: toIso(machine.firstSeenAt),
    last_seen_at: toIso(machine.lastSeenAt),
    vanished_at: isoOf(machine.vanishedAt),
  };
}

function connectionView({ id, kind, name, listing }: ListedConnection): z.infer<typeof connectionSchema> {
  return {
    connection: id,
    provider: kind,
    name,
    listed_at: isoOf(listing?.listedAt ?? null),
    complete: listing?.isComplete ?? null,
    next_at: isoOf(listing?.dueAt ?? null),
    problem: listing?.problem ?? null,
  };
}

function isoOf(at: number | null): string | null {
  return at === null ? null : toIso(at);
}

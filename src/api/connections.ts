import { z } from "zod";
import { FORMER_RETRY_SECONDS } from "../http/answered.ts";
import { noteAct } from "../http/audit.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, notFound, tooMany, tooManyRequests, unavailable } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { CALLED_PROVIDERS, connectedBy } from "../lifecycle/model/provider.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { inTurn, NoTurn } from "../orders/lane.ts";
import { readSettings } from "../platform/settings.ts";
import {
  addConnection,
  type Connection,
  changeConnection,
  listConnections,
  removeConnection,
} from "../providers/connections.ts";
import { calledProviderSchema, checkConnection } from "../providers/registry.ts";
import {
  connectionExample,
  connectionSchema,
  connectionsSchema,
  connectionView,
  providerView,
} from "./connection-views.ts";
import {
  demandSameMachines,
  givenCredentialsSchema,
  SAME_MACHINES,
  soundCredentials,
  verifyQuery,
} from "./credentials.ts";
import { connectionIdSchema } from "./instances/schemas.ts";

/** The user's connections to the providers that the service calls: each with a name and credentials of its own. */

export const connectionParams = z.object({ id: connectionIdSchema });

const connectionNameSchema = z.string().trim().min(1).max(200);

export class ListConnections extends Endpoint {
  override schema = {
    operationId: "listConnections",
    tags: ["Providers"],
    summary: "List the user's connections to providers, and what can be connected",
    security: security("user"),
    responses: {
      200: jsonResponse("The connections, without their credentials", connectionsSchema, {
        connections: [connectionExample],
        providers: [providerView("vast")],
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const connections = await listConnections(c.env, userIdOf(c.var.principal));
    return c.json({
      connections: connections.map(connectionView),
      providers: CALLED_PROVIDERS.map(providerView),
    });
  }
}

const createConnectionSchema = component(
  "CreateConnectionRequest",
  z.strictObject({
    provider: calledProviderSchema,
    name: connectionNameSchema,
    credentials: givenCredentialsSchema,
  }),
);

export class CreateConnection extends Endpoint {
  override schema = {
    operationId: "createConnection",
    tags: ["Providers"],
    summary: "Connect an account, or a region, of a provider",
    description:
      "A user may have several of one kind. `credentials` are those of `PUT /api/agent/providers/{kind}`, tried and kept in the same way.",
    security: security("user"),
    request: {
      query: verifyQuery,
      body: jsonBody(createConnectionSchema, {
        provider: "vast",
        name: "Team B",
        credentials: { api_key: "…" },
      }),
    },
    responses: {
      201: jsonResponse("The connection", connectionSchema, connectionExample),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query, body } = await this.getValidatedData<typeof this.schema>();
    const { provider: kind, name } = body;
    const given = await soundCredentials(c, kind, body.credentials, "body.credentials", query);
    const limit = readSettings(c.env).PROVIDER_CONNECTIONS_PER_USER;
    const { credentials, checkedAt } = given;
    const added = await addConnection(c.env, userIdOf(c.var.principal), { kind, name }, credentials, {
      limit,
      checkedAt,
    });
    if (added === "former") throw unavailable(FORMER_RETRY_SECONDS);
    if (added === "too_many") {
      throw tooMany(limit, "connections");
    }
    noteAct(c, { subject: added.id, detail: { name: added.name, provider: added.kind } });
    return c.json(connectionView(added), 201);
  }
}

const changeConnectionSchema = component(
  "ChangeConnectionRequest",
  z.strictObject({
    name: connectionNameSchema.optional(),
    credentials: givenCredentialsSchema.optional(),
  }),
);

export class ChangeConnection extends Endpoint {
  override schema = {
    operationId: "changeConnection",
    tags: ["Providers"],
    summary: "Rename a connection, or set other credentials",
    description: `What is left out stays. With other credentials it is \`active\` again. ${SAME_MACHINES}`,
    security: security("user"),
    request: {
      params: connectionParams,
      query: verifyQuery,
      body: jsonBody(changeConnectionSchema, { name: "Team C" }),
    },
    responses: {
      200: jsonResponse("The connection", connectionSchema, { ...connectionExample, name: "Team C" }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query, body } = await this.getValidatedData<typeof this.schema>();
    const { kind } = await findOrThrow(c, params.id);
    const given =
      body.credentials === undefined
        ? undefined
        : await soundCredentials(c, kind, body.credentials, "body.credentials", query);
    const userId = userIdOf(c.var.principal);
    if (given !== undefined) {
      await demandSameMachines(c, userId, connectedBy(kind, params.id), given.credentials);
    }
    const changed = await changeConnection(c.env, userId, params.id, {
      name: body.name,
      given,
    });
    if (changed === "former") throw unavailable(FORMER_RETRY_SECONDS);
    if (changed === null) throw notFound();
    return c.json(connectionView(changed));
  }
}

export class DeleteConnection extends Endpoint {
  override schema = {
    operationId: "deleteConnection",
    tags: ["Providers"],
    summary: "Remove a connection",
    description: "Its credentials are forgotten. Not while an instance belongs to it: then 409 `in_use`.",
    security: security("user"),
    request: { params: connectionParams },
    responses: { 200: successResponse("It is removed"), ...errorResponses(401, 403, 404, 409) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await removeOrThrow(c, params.id);
    return c.json({ success: true });
  }
}

export class CheckConnection extends Endpoint {
  override schema = {
    operationId: "checkConnection",
    tags: ["Providers"],
    summary: "Try the credentials of a connection",
    description:
      "By a harmless call. What it showed stands in `problem`. If it succeeds, a connection that was `refused` is `active` again. The call takes its turn with those of orders: 429 where that does not come within some seconds.",
    security: security("user"),
    request: { params: connectionParams },
    responses: {
      200: jsonResponse("The connection as it stands now", connectionSchema, connectionExample),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const connection = await findOrThrow(c, params.id);
    const userId = userIdOf(c.var.principal);
    const checked = await checkConnection(c.env, userId, connection, (connected, call) =>
      inTurn(c.env, userId, connected, ["look"], call),
    ).catch((error) => {
      if (!(error instanceof NoTurn)) throw error;
      throw tooManyRequests(phrase("error.not_asked", { name: connection.name, because: error.message }));
    });
    if (checked === null) throw unavailable(FORMER_RETRY_SECONDS);
    return c.json(connectionView(checked));
  }
}

async function findOrThrow(c: ApiContext, id: string): Promise<Connection> {
  const connections = await listConnections(c.env, userIdOf(c.var.principal));
  const found = connections.find((connection) => connection.id === id);
  if (found === undefined) throw notFound();
  return found;
}

/** Removes a connection. Throws 404 for an unknown one, and 409 while an instance belongs to it. */
export async function removeOrThrow(c: ApiContext, id: string): Promise<void> {
  const removed = await removeConnection(c.env, userIdOf(c.var.principal), id);
  switch (removed) {
    case "removed":
      return;
    case "unknown":
      throw notFound();
    case "in_use":
      throw new ApiError("in_use", phrase("error.connection_in_use", { connection: id }));
  }
}

import { z } from "zod";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, notFound } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { CALLED_PROVIDERS } from "../lifecycle/model/provider.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { credentialsSetAt } from "../providers/connections.ts";
import { calledProviderSchema, credentialFields, keepCredentials } from "../providers/registry.ts";
import { removeOrThrow } from "./connections.ts";
import {
  demandSameMachines,
  givenCredentialsSchema,
  SAME_MACHINES,
  soundCredentials,
  verifyQuery,
} from "./credentials.ts";

/** The user's credentials of the first connection of each kind. */

const providerParams = z.object({ kind: calledProviderSchema });

const connectedSchema = component(
  "ConnectedProvider",
  z.object({ kind: calledProviderSchema, updated_at: z.string() }),
);

const providerResponse = jsonResponse("Whether there are credentials, never what they are", connectedSchema, {
  kind: "vast",
  updated_at: "2025-12-18T12:00:00Z",
});

export class GetProvider extends Endpoint {
  override schema = {
    operationId: "getProvider",
    tags: ["Providers"],
    summary: "See whether there are credentials for a provider",
    security: security("user"),
    request: { params: providerParams },
    responses: { 200: providerResponse, ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const setAt = await credentialsSetAt(c.env, userIdOf(c.var.principal), params.kind);
    if (setAt === null) throw notFound();
    return c.json({ kind: params.kind, updated_at: toIso(setAt) });
  }
}

const FORMS = CALLED_PROVIDERS.map((kind) => `\`${kind}\`: \`{${credentialFields(kind).join(", ")}}\``);

export class PutProvider extends Endpoint {
  override schema = {
    operationId: "putProvider",
    tags: ["Providers"],
    summary: "Set the credentials for a provider: of the first connection of this kind",
    description: `${FORMS.join("; ")}. They are tried with a harmless call before they are kept, unless \`verify=false\`; then sealed and never shown again. ${SAME_MACHINES}`,
    security: security("user"),
    request: {
      params: providerParams,
      query: verifyQuery,
      body: jsonBody(givenCredentialsSchema, { api_key: "…" }),
    },
    responses: { 200: providerResponse, ...errorResponses(400, 401, 403, 404, 409, 413) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { credentials, checkedAt } = await soundCredentials(c, params.kind, body, "body", query);
    await demandSameMachines(c, userId, params.kind, credentials);
    const now = Date.now();
    await keepCredentials(c.env, userId, params.kind, credentials, now, checkedAt);
    return c.json({ kind: params.kind, updated_at: toIso(now) });
  }
}

export class DeleteProvider extends Endpoint {
  override schema = {
    operationId: "deleteProvider",
    tags: ["Providers"],
    summary: "Forget the credentials for a provider",
    description: "Not while an instance is registered with it.",
    security: security("user"),
    request: { params: providerParams },
    responses: { 200: successResponse("They are forgotten"), ...errorResponses(401, 403, 404, 409) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await removeOrThrow(c, params.kind);
    return c.json({ success: true });
  }
}

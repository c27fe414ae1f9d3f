import { z } from "zod";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint, issuesOf } from "../http/endpoint.ts";
import { ApiError, errorResponses, invalid, notFound } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { CALLED_PROVIDERS } from "../lifecycle/model/provider.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { fleetOf } from "../platform/address.ts";
import { ProviderError } from "../providers/provider.ts";
import {
  calledProviderSchema,
  createProvider,
  credentialFields,
  credentialsSchema,
  credentialsSetAt,
  keepCredentials,
  removeCredentials,
} from "../providers/registry.ts";

/** The user's credentials for the providers that the service calls. */

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

const verifyQuery = z.object({ verify: z.enum(["true", "false"]).default("true") });

/** The handler checks them: what they are depends on the kind of provider. */
const givenCredentialsSchema = component("ProviderCredentials", z.record(z.string(), z.string()));

const FORMS = CALLED_PROVIDERS.map((kind) => `\`${kind}\`: \`{${credentialFields(kind).join(", ")}}\``);

export class PutProvider extends Endpoint {
  override schema = {
    operationId: "putProvider",
    tags: ["Providers"],
    summary: "Set the credentials for a provider",
    description: `${FORMS.join("; ")}. They are tried with a harmless call before they are kept, unless \`verify=false\`; then sealed and never shown again.`,
    security: security("user"),
    request: {
      params: providerParams,
      query: verifyQuery,
      body: jsonBody(givenCredentialsSchema, { api_key: "…" }),
    },
    responses: { 200: providerResponse, ...errorResponses(400, 401, 403, 404, 413) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const credentials = credentialsSchema(params.kind, c.env).safeParse(body);
    if (!credentials.success) throw invalid(issuesOf("body", credentials.error));
    if (query.verify === "true") {
      try {
        await createProvider(params.kind, credentials.data, c.env).verify(null);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        throw new ApiError("not_verified", `The credentials were tried, and ${error.message}`);
      }
    }
    const now = Date.now();
    await keepCredentials(c.env, userId, params.kind, credentials.data, now);
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
    const userId = userIdOf(c.var.principal);
    if (await fleetOf(c.env, userId).hasInstanceOf(params.kind)) {
      throw new ApiError("in_use", `Instances are registered with ${params.kind}: change them first`);
    }
    if (!(await removeCredentials(c.env, userId, params.kind))) throw notFound();
    return c.json({ success: true });
  }
}

import { z } from "zod";
import type { PreviewNow } from "../../fleet/previews.ts";
import type { KeptLine } from "../../fleet/rules/preview.ts";
import type { PreviewRow } from "../../fleet/tables/preview-rows.ts";
import { answerOrUnavailable } from "../../http/answered.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { idCursor, nextIdCursor, pageLimit } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { jsonResponse, security, successResponse } from "../../http/openapi.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { logWarning } from "../../platform/log.ts";
import { goOnIfLost } from "../../previews/workflow.ts";
import { headExample, lineExample, previewExample } from "./example.ts";
import { instanceLinesSchema, previewSchema, previewsSchema } from "./schemas.ts";
import { headView, LINES_SHOWN, lineView, previewView, SKIPS_SHOWN } from "./views.ts";

/** Previews that are kept. */

const previewParams = z.object({ id: z.uuid() });

export class ListPolicyPreviews extends Endpoint {
  override schema = {
    operationId: "listPolicyPreviews",
    tags: ["Policy"],
    summary: "List the previews of policies that are kept, newest first",
    security: security("user"),
    responses: {
      200: jsonResponse("The previews, without their instances", previewsSchema, {
        previews: [headExample],
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const asked = fleetOf(c.env, userIdOf(c.var.principal)).previews();
    const previews = await answerOr<PreviewRow[]>(asked, []);
    return c.json({ previews: previews.map(headView) });
  }
}

export class GetPolicyPreview extends Endpoint {
  override schema = {
    operationId: "getPolicyPreview",
    tags: ["Policy"],
    summary: "See a preview of a policy, as far as it has come",
    security: security("user"),
    request: { params: previewParams },
    responses: {
      200: jsonResponse("The preview", previewSchema, previewExample),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const asked = fleetOf(c.env, userId).preview(params.id, LINES_SHOWN, SKIPS_SHOWN);
    const now = await answerOr<PreviewNow | null>(asked, null);
    if (now === null) throw notFound();
    // Whoever waits for it sees it come on.
    const goesOn = goOnIfLost(c.env, userId, now.preview, Date.now());
    c.executionCtx.waitUntil(
      goesOn.catch((error) => logWarning("a preview can't go on", { user_id: userId }, error)),
    );
    return c.json(previewView(now));
  }
}

export class ListPolicyPreviewInstances extends Endpoint {
  override schema = {
    operationId: "listPolicyPreviewInstances",
    tags: ["Policy"],
    summary: "List what a preview says of each instance",
    description: "In the order of their ids. While the preview is running, more come.",
    security: security("user"),
    request: {
      params: previewParams,
      query: z.object({ limit: pageLimit(100), cursor: idCursor.optional() }),
    },
    responses: {
      200: jsonResponse("A page of instances", instanceLinesSchema, {
        instances: [lineExample],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    const asked = fleet.previewLines(params.id, query.cursor ?? "", query.limit);
    const lines = await answerOr<KeptLine[] | null>(asked, null);
    if (lines === null) throw notFound();
    const ids = lines.map(({ instanceId }) => instanceId);
    return c.json({ instances: lines.map(lineView), next_cursor: nextIdCursor(ids, query.limit) });
  }
}

export class DeletePolicyPreview extends Endpoint {
  override schema = {
    operationId: "deletePolicyPreview",
    tags: ["Policy"],
    summary: "Delete a preview of a policy",
    description: "One that is running stops.",
    security: security("user"),
    request: { params: previewParams },
    responses: { 200: successResponse("It is deleted"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    if (!(await answerOrUnavailable(fleet.deletePreview(params.id)))) throw notFound();
    return c.json({ success: true });
  }
}

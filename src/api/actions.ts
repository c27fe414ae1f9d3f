import { z } from "zod";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../http/errors.ts";
import { component, jsonBody, security, successResponse } from "../http/openapi.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { type ActionResult, findAction, isActionOf, resultEvent } from "../orders/order.ts";
import { providerOrderSchema } from "../providers/provider.ts";

/** The states of a workflow that has ended. */
const ENDED = new Set(["complete", "errored", "terminated"]);

const actionParams = z.object({ id: z.string().regex(/^[a-z0-9-]{1,100}$/) });

const resultSchema = component(
  "ActionResult",
  z.strictObject({
    order: providerOrderSchema.describe("Which order it is the result of: its `type` without `instance.`"),
    outcome: z.enum(["succeeded", "failed"]),
    snapshot_id: z.string().min(1).max(500).nullish(),
    because: z.string().min(1).max(500).nullish().describe("Why it failed"),
  }),
);

export class PostActionResult extends Endpoint {
  override schema = {
    operationId: "postActionResult",
    tags: ["Providers"],
    summary: "Say how an action ended that a webhook accepted",
    description:
      "For the control plane behind a `webhook` provider that answered 202; `{id}` is the `action_id` of its order. A result counts for its own order alone, and only while the status of the machine does not say otherwise.",
    security: security("user"),
    request: {
      params: actionParams,
      body: jsonBody(resultSchema, {
        order: "snapshot",
        outcome: "succeeded",
        snapshot_id: "snap-0a1b2c",
      }),
    },
    responses: {
      202: successResponse("It will be decided on"),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    if (!(await isActionOf(userIdOf(c.var.principal), params.id))) throw notFound();
    const workflow = await findAction(c.env, params.id);
    if (workflow === null) throw notFound();
    if (ENDED.has((await workflow.status()).status)) {
      throw new ApiError("not_possible", text("error.action_over"));
    }
    const payload: ActionResult = {
      outcome: body.outcome,
      snapshotId: body.snapshot_id ?? null,
      because: body.because ?? null,
    };
    await workflow.sendEvent({ type: resultEvent(body.order), payload });
    return c.json({ success: true }, 202);
  }
}

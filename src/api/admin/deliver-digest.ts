import { z } from "zod";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { fleetOf } from "../../platform/address.ts";
import { actFields, demandUser, userParams, wordOf } from "./act.ts";

/** As fleets name their digests. */
const digestParams = userParams.extend({
  digest_id: z.string().regex(/^[A-Za-z0-9_-]{1,60}-(critical|ordinary)-[0-9]{1,15}$/),
});

const requestSchema = component(
  "DeliverDigestRequest",
  z.strictObject({
    ...actFields,
    channel_id: z.string().max(100).optional().describe("Only by this one; else by all that want it"),
  }),
);

const answerSchema = component(
  "DigestDelivery",
  z.object({ success: z.literal(true), messages: z.number().describe("How many are on their way") }),
);

export class DeliverDigest extends Endpoint {
  override schema = {
    operationId: "deliverDigest",
    tags: ["Administration"],
    summary: "Deliver a digest again",
    description:
      "`{digest_id}` is one of those that the fleet's inspection names. A message that still waits is sent now. Another one is composed anew, for the channels as they are now, and has the id of the first, by which its receiver knows it.",
    security: security("admin"),
    request: {
      params: digestParams,
      body: jsonBody(requestSchema, { because: "Slack was down last night", operator: "Ada" }),
    },
    responses: {
      202: jsonResponse("They are sent", answerSchema, { success: true, messages: 2 }),
      ...errorResponses(400, 401, 403, 404, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const answer = await fleetOf(c.env, params.id).operate({
      type: "deliver",
      digestId: params.digest_id,
      channelId: body.channel_id ?? null,
      word: wordOf(c, body),
    });
    if (answer.type !== "delivering" || answer.messages === 0) throw notFound();
    return c.json({ success: true, messages: answer.messages }, 202);
  }
}

import type { PreviewAsked, PreviewStarted } from "../../fleet/previews.ts";
import { answerOrUnavailable } from "../../http/answered.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import {
  ApiError,
  errorResponses,
  invalid,
  issueAt,
  notFound,
  suspended,
  tooManyRequests,
} from "../../http/errors.ts";
import { jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { listTags } from "../../lifecycle/model/tags.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { fleetOf } from "../../platform/address.ts";
import { startPreview } from "../../previews/start.ts";
import { contradictory, policyIssueAt } from "../policy.ts";
import { writtenOut } from "../presets.ts";
import { previewExample } from "./example.ts";
import { previewSchema, requestSchema } from "./schemas.ts";
import { LINES_SHOWN, previewView, SKIPS_SHOWN } from "./views.ts";

export class StartPolicyPreview extends Endpoint {
  override schema = {
    operationId: "startPolicyPreview",
    tags: ["Policy"],
    summary: "Try a policy on the past",
    description:
      "Replays the last days of instances under the policy given, and says what it would have done: hibernations, dollars saved, and work that would have been interrupted, beside what really happened and beside each preset. Nothing is changed. A few instances are answered at once; for more the answer is 202, and the preview grows: ask for it by its id. The last 20 are kept.",
    security: security("user"),
    request: {
      body: jsonBody(requestSchema, {
        policy: { idle: { threshold_percent: 3, hibernate_after_seconds: 600 } },
        days: 7,
      }),
    },
    responses: {
      200: jsonResponse("The preview, done", previewSchema, previewExample),
      202: jsonResponse("The preview as far as it has come", previewSchema, {
        ...previewExample,
        state: "running",
        instances: { total: 60, done: 1, skipped: 0 },
      }),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { success } = await c.env.PREVIEW_LIMIT.limit({ key: userId });
    if (!success) throw tooManyRequests(text("error.previews_too_fast"));
    const request: PreviewAsked = {
      policy: writtenOut(body.policy),
      instancePolicy: body.instance_policy === undefined ? null : writtenOut(body.instance_policy),
      days: body.days,
      instances: body.instances === undefined ? null : [...new Set(body.instances)],
      tag: listTags(body.tag ?? {})[0] ?? null,
      wantsProposal: body.proposal,
      requestId: c.var.requestId,
    };
    const starting = startPreview(c.env, userId, request);
    // Whoever asked may be gone before it is answered: one that is begun must not wait for nobody.
    c.executionCtx.waitUntil(starting.catch(() => {}));
    const started = await answerOrUnavailable(starting);
    if (started.outcome !== "started") throw refusal(started, body.instances ?? []);
    const now = await fleetOf(c.env, userId).preview(started.id, LINES_SHOWN, SKIPS_SHOWN);
    // Somebody has deleted it meanwhile.
    if (now === null) throw notFound();
    return c.json(previewView(now), now.preview.state === "running" ? 202 : 200);
  }
}

function refusal(
  started: Exclude<PreviewStarted, { outcome: "started" }>,
  instances: readonly string[],
): ApiError {
  switch (started.outcome) {
    case "suspended":
      return suspended();
    case "contradiction":
      return contradictory("body.policy", started.contradiction);
    case "instance_contradiction":
      return invalid(
        started.issues
          .map(policyIssueAt("body.instance_policy"))
          .map(({ path, message, said: issue = message }) =>
            issueAt(path, phrase("error.of_instance", { id: started.instanceId, issue })),
          ),
      );
    case "unknown_instances":
      return invalid(
        started.instanceIds.map((id) =>
          issueAt(`body.instances.${instances.indexOf(id)}`, phrase("must.be_known_instance", { id })),
        ),
      );
    case "too_many_running":
      return tooManyRequests(text("error.two_previews"));
    case "too_many_instances":
      return new ApiError(
        "too_many",
        phrase("error.preview_too_many", { limit: started.limit.toLocaleString("en") }),
      );
  }
}

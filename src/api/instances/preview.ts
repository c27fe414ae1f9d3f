import { z } from "zod";
import { shownView } from "../../fleet/report.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid, unavailable } from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import type { PreviewOutcome } from "../../instance/preview.ts";
import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { expandPreset, presetOf } from "../../lifecycle/model/presets.ts";
import type { Upcoming } from "../../lifecycle/views/upcoming.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { standingsFor } from "../../providers/connections.ts";
import { policyIssueAt, policySchema } from "../policy.ts";
import { shownPresetSchema, writtenOut } from "../presets.ts";
import { instant } from "./instant.ts";
import { refusalError } from "./refusals.ts";
import { explanationSchema, instanceParams, newOwnOverridesSchema } from "./schemas.ts";

const upcomingSchema = component(
  "UpcomingSwitch",
  z.object({
    at: instant,
    what: z
      .enum(["awake", "asleep", "hibernate", "wake", "maintenance_begins", "maintenance_ends"])
      .describe(
        "`awake`: awake hours begin; `wake`: so, and what their schedule or idleness has hibernated is woken; `asleep`: they end; `hibernate`: so, and what runs is hibernated",
      ),
  }) satisfies z.ZodType<Upcoming>,
);

const previewSchema = component(
  "LifecyclePreview",
  z.object({
    policy: policySchema,
    preset: shownPresetSchema,
    lifecycle: explanationSchema,
    schedule: z
      .array(upcomingSchema)
      .readonly()
      .describe("What the clock alone would bring within seven days: at most fifty"),
  }),
);

const example = { preset: "careful" } as const;

export class PreviewLifecycle extends Endpoint {
  override schema = {
    operationId: "previewLifecycle",
    tags: ["Policy"],
    summary: "See what would come next for an instance under another policy",
    description:
      "The body is what would be set as the instance's own overrides, in place of those that it has. Answers how its policy would be as a whole, and what would come next if it were set now. Nothing is changed.",
    security: security("user"),
    request: { params: instanceParams, body: jsonBody(newOwnOverridesSchema, example) },
    responses: {
      200: jsonResponse("As it would be", previewSchema, {
        policy: mergePolicy(expandPreset(example)),
        preset: "careful",
        lifecycle: {
          next_step: "warn",
          at: "2025-12-19T14:45:00Z",
          in_seconds: 2520,
          because: "GPU under 5% since 2025-12-19T14:00:00Z, highest 2%",
          blocked_by: null,
        },
        schedule: [],
      }),
      ...errorResponses(400, 401, 403, 404, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { language, timeZone } = readerOfRequest(c);
    const asked = actorOf(c.env, userId, params.id).preview(writtenOut(body), language, timeZone);
    const preview = await answerOr<PreviewOutcome | null>(asked, null);
    // Its object still runs the former release.
    if (preview === null) throw unavailable(60);
    switch (preview.outcome) {
      case "previewed": {
        const { view, policy, schedule } = preview;
        const { lifecycle } = shownView(view, await standingsFor(c.env, userId, [view]));
        return c.json({ policy, preset: presetOf(policy), lifecycle, schedule });
      }
      case "bad_policy":
        throw invalid(preview.issues.map(policyIssueAt("body")));
      case "unknown":
      case "unreadable":
        throw refusalError(preview);
    }
  }
}

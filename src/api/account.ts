import { z } from "zod";
import { changeProfile, findProfile } from "../accounts/users.ts";
import { noteAct } from "../http/audit.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { timezoneSchema } from "../lifecycle/model/window-settings.ts";
import { LANGUAGES } from "../lifecycle/model/words/said.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";
import { nameSchema } from "./instances/schemas.ts";

/** The account itself: what it is called, and in whose words and time it is told. */

/** In which the service can tell an account something. */
const languageSchema = z.enum(LANGUAGES);

const FLEET_LIMIT_MS = 5 * SECOND_MS;

const accountSchema = component(
  "Account",
  z.object({
    id: z.string(),
    name: z.string(),
    language: z.string().nullable().describe("Of messages; null: not chosen, which is English"),
    time_zone: z.string().nullable().describe("Of times in messages; null: not chosen, which is UTC"),
  }),
);

const changeSchema = component(
  "ChangeAccountRequest",
  z.strictObject({
    name: nameSchema.optional(),
    language: languageSchema.nullish().describe("Null: not chosen"),
    time_zone: timezoneSchema.nullish().describe("Null: not chosen"),
  }),
);

const example: z.infer<typeof accountSchema> = {
  id: "u-0b0f6f0e-6f43-4c3f-9a0e-0a0c4c0e3d1f",
  name: "Ada",
  language: "pt-BR",
  time_zone: "America/Sao_Paulo",
};

export class GetAccount extends Endpoint {
  override schema = {
    operationId: "getAccount",
    tags: ["Access"],
    summary: "See the account",
    security: security("user"),
    responses: { 200: jsonResponse("The account", accountSchema, example), ...errorResponses(401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    return c.json(await accountOf(c.env, userIdOf(c.var.principal)));
  }
}

export class ChangeAccount extends Endpoint {
  override schema = {
    operationId: "changeAccount",
    tags: ["Access"],
    summary: "Change the account's name, language or time zone",
    description: "What is absent stays as it is.",
    security: security("user"),
    request: { body: jsonBody(changeSchema, { language: "pt-BR", time_zone: "America/Sao_Paulo" }) },
    responses: {
      200: jsonResponse("The account as it is now", accountSchema, example),
      ...errorResponses(400, 401, 403, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    await changeProfile(c.env.DB, userId, {
      name: body.name,
      language: body.language,
      timeZone: body.time_zone,
    });
    if (body.language !== undefined || body.time_zone !== undefined) await tellFleet(c.env, userId);
    noteAct(c, { detail: Object.fromEntries(Object.entries(body)) });
    return c.json(await accountOf(c.env, userId));
  }
}

/** Where that fails, the fleet finds out within a day. */
async function tellFleet(env: Env, userId: string): Promise<void> {
  const told = within(FLEET_LIMIT_MS, answerOr(fleetOf(env, userId).accountChanged(), undefined));
  await told.catch((error) =>
    logWarning("a fleet has not heard of its account's language", { user_id: userId }, error),
  );
}

async function accountOf(env: Env, userId: string): Promise<z.infer<typeof accountSchema>> {
  const { name, language, timeZone } = await findProfile(env.DB, userId);
  return { id: userId, name, language, time_zone: timeZone };
}

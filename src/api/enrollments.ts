import { z } from "zod";
import {
  createEnrollment,
  deleteEnrollment,
  ENROLLMENTS_PER_USER,
  type Enrollment,
  listEnrollments,
} from "../accounts/enrollments.ts";
import { issueToken } from "../accounts/tokens.ts";
import { noteAct } from "../http/audit.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, notFound, tooMany } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { DAY_MS, toIso } from "../lifecycle/model/time.ts";
import { instant } from "./instances/instant.ts";
import { hourlyCostSchema, nameSchema } from "./instances/schemas.ts";
import { newTagsSchema, tagsViewSchema } from "./instances/tags.ts";

/** Tokens that a user makes for images and launch templates: machines register themselves with them. */

/** Long enough for an image, and no secret is good for ever. */
const LONGEST_DAYS = 365;
const MOST_USES = 1000;

const namePrefixSchema = z.string().max(60).describe("Names of instances are this and the machine's id");

const createSchema = component(
  "CreateEnrollmentRequest",
  z.strictObject({
    name: nameSchema,
    uses: z.int().min(1).max(MOST_USES).default(1).describe("How many machines may be registered with it"),
    expires_in_days: z.number().positive().max(LONGEST_DAYS).default(30),
    name_prefix: namePrefixSchema.default(""),
    call_provider: z
      .boolean()
      .default(true)
      .describe(
        "Whether the machine's provider is called, where one of the user's connections shows the machine; otherwise only its agent can stop it",
      ),
    hourly_cost: hourlyCostSchema.default(null),
    hibernated_hourly_cost: hourlyCostSchema.default(null),
    tags: newTagsSchema.default({}),
  }),
);

const enrollmentShape = {
  id: z.string(),
  name: z.string(),
  state: z.enum(["active", "used_up", "expired"]),
  uses: z.number(),
  uses_left: z.number(),
  created_at: instant,
  expires_at: instant,
  last_used_at: instant.nullable().describe("When a machine was last registered with it"),
  name_prefix: namePrefixSchema,
  call_provider: z.boolean(),
  hourly_cost: hourlyCostSchema,
  hibernated_hourly_cost: hourlyCostSchema,
  tags: tagsViewSchema,
};

const enrollmentSchema = component("Enrollment", z.object(enrollmentShape));

const newEnrollmentSchema = component(
  "NewEnrollment",
  z.object({
    ...enrollmentShape,
    token: z.string().describe("The enrollment token. It is shown this once"),
  }),
);

const listSchema = component("EnrollmentList", z.object({ enrollments: z.array(enrollmentSchema) }));

const example: z.infer<typeof enrollmentSchema> = {
  id: "n-7a0c5b43-6d9b-4f6c-9a51-2f6f3f1f2b10",
  name: "training image",
  state: "active",
  uses: 50,
  uses_left: 47,
  created_at: "2025-12-18T12:00:00Z",
  expires_at: "2026-01-17T12:00:00Z",
  last_used_at: "2025-12-19T02:20:30Z",
  name_prefix: "train-",
  call_provider: true,
  hourly_cost: 0.4,
  hibernated_hourly_cost: 0.01,
  tags: { team: "vision" },
};

export class ListEnrollments extends Endpoint {
  override schema = {
    operationId: "listEnrollments",
    tags: ["Enrollment"],
    summary: "List the enrollment tokens",
    security: security("user"),
    responses: {
      200: jsonResponse("The newest first, without the tokens themselves", listSchema, {
        enrollments: [example],
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const now = Date.now();
    const enrollments = await listEnrollments(c.env.DB, userIdOf(c.var.principal));
    return c.json({ enrollments: enrollments.map((each) => viewOf(each, now)) });
  }
}

export class CreateEnrollment extends Endpoint {
  override schema = {
    operationId: "createEnrollment",
    tags: ["Enrollment"],
    summary: "Make an enrollment token",
    description: `For images and launch templates: \`dumont-agent install --enroll TOKEN\` registers the machine on which it runs. A user has ${ENROLLMENTS_PER_USER} at most, expired and used-up ones included.`,
    security: security("user"),
    request: {
      body: jsonBody(createSchema, {
        name: "training image",
        uses: 50,
        name_prefix: "train-",
        tags: { team: "vision" },
      }),
    },
    responses: {
      201: jsonResponse("The token, shown this once", newEnrollmentSchema, {
        ...example,
        uses_left: 50,
        last_used_at: null,
        token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6ImVucm9sbG1lbnQifQ.c2lnbmF0dXJl",
      }),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const now = Date.now();
    const enrollment: Enrollment = {
      id: `n-${crypto.randomUUID()}`,
      userId: userIdOf(c.var.principal),
      name: body.name,
      uses: body.uses,
      usesLeft: body.uses,
      expiresAt: now + Math.round(body.expires_in_days * DAY_MS),
      defaults: {
        namePrefix: body.name_prefix,
        callProvider: body.call_provider,
        hourlyCost: body.hourly_cost,
        hibernatedHourlyCost: body.hibernated_hourly_cost,
        tags: body.tags,
      },
      createdAt: now,
      lastUsedAt: null,
    };
    if (!(await createEnrollment(c.env.DB, enrollment))) {
      throw tooMany(ENROLLMENTS_PER_USER, "enrollment_tokens", "revoke");
    }
    const { id, userId } = enrollment;
    noteAct(c, { subject: id, detail: { name: enrollment.name } });
    const token = await issueToken(c.env.TOKEN_KEY, { scope: "enrollment", sub: userId, jti: id });
    return c.json({ ...viewOf(enrollment, now), token }, 201);
  }
}

export class DeleteEnrollment extends Endpoint {
  override schema = {
    operationId: "deleteEnrollment",
    tags: ["Enrollment"],
    summary: "Revoke an enrollment token",
    description: "Instances that were registered with it stay.",
    security: security("user"),
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: { 200: successResponse("It is refused from now on"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    if (!(await deleteEnrollment(c.env.DB, userIdOf(c.var.principal), params.id, Date.now())))
      throw notFound();
    return c.json({ success: true });
  }
}

function viewOf(enrollment: Enrollment, now: number): z.infer<typeof enrollmentSchema> {
  const { id, name, uses, usesLeft, createdAt, expiresAt, lastUsedAt, defaults } = enrollment;
  return {
    id,
    name,
    state: expiresAt <= now ? "expired" : usesLeft === 0 ? "used_up" : "active",
    uses,
    uses_left: usesLeft,
    created_at: toIso(createdAt),
    expires_at: toIso(expiresAt),
    last_used_at: lastUsedAt === null ? null : toIso(lastUsedAt),
    name_prefix: defaults.namePrefix,
    call_provider: defaults.callProvider,
    hourly_cost: defaults.hourlyCost,
    hibernated_hourly_cost: defaults.hibernatedHourlyCost,
    tags: defaults.tags ?? {},
  };
}

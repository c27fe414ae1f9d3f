import { z } from "zod";
import { sha256Hex } from "../accounts/digest.ts";
import {
  type Enrollment,
  findEnrollment,
  giveBackUse,
  noteRegistered,
  takeUse,
  type Use,
} from "../accounts/enrollments.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, invalid, unavailable } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import type { EnrollingMachine } from "../instance/enrollment.ts";
import { referenceIssue } from "../lifecycle/model/reference.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { askInstance, findInstance, isTaken } from "./instances/enrolled-instance.ts";
import { reachOf } from "./instances/enrolling-machine.ts";
import { registerInstance } from "./instances/registering.ts";
import { providerRefSchema } from "./instances/schemas.ts";
import { issueInstanceToken, tokenExample, tokenSchema } from "./instances/token.ts";

/** Where a machine registers itself with an enrollment token. Why it is so: docs/decisions/0021-enrollment.md. */

/** What a machine can find out about itself, and the form of its provider's own, unique id. */
const MACHINE_IDS = {
  ec2: null,
  runpod: null,
  vast: null,
  // These two are called by a path, which may come back with another machine.
  gcp: { form: /^\d{1,20}$/, words: text("must.be_gcp_number") },
  azure: {
    form: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    words: text("must.be_vm_id"),
  },
} as const;

const enrollSchema = component(
  "EnrollRequest",
  z.strictObject({
    provider: z.enum(["ec2", "gcp", "azure", "runpod", "vast"]),
    machine_id: z
      .string()
      .max(64)
      .describe("The provider's own id of the machine, which becomes the instance's"),
    provider_ref: providerRefSchema
      .default(null)
      .describe("For `gcp` and `azure`: as an instance's `provider_ref`"),
    machine_key: z
      .string()
      .regex(/^[A-Za-z0-9_-]{32,128}$/, text("must.be_machine_key"))
      .describe("Only this machine has it: by it the same machine is known again"),
  }),
);

type EnrollBody = z.infer<typeof enrollSchema>;

const enrolledSchema = component(
  "EnrolledMachine",
  z.object({
    ...tokenSchema.shape,
    note: z.string().nullable().describe("Why the machine's provider is not called; null where it is"),
  }),
);

export class EnrollMachine extends Endpoint {
  override schema = {
    operationId: "enrollMachine",
    tags: ["Enrollment"],
    summary: "Register the machine that asks",
    description:
      "Asked again with the same key, it answers the same instance, and takes no further use. An instance that was heard is given to nobody else: 409 `exists`. So is none that was registered with this token and removed since: 409 `removed`. With a token that is expired or used up nothing is registered: 403 `enrollment_expired`, `enrollment_used_up`.",
    security: security("enrollment"),
    request: {
      body: jsonBody(enrollSchema, {
        provider: "ec2",
        machine_id: "i-1234567890abcdef0",
        machine_key: "3f1c0d6f5a9e4b7c8d2e1f0a9b8c7d6e",
      }),
    },
    responses: {
      200: jsonResponse("This machine is registered already", enrolledSchema, {
        ...tokenExample,
        note: null,
      }),
      201: jsonResponse("It is registered", enrolledSchema, { ...tokenExample, note: null }),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { principal } = c.var;
    if (principal.scope !== "enrollment") throw new Error("the route requires an enrollment token");
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { userId, enrollmentId } = principal;
    checkMachineId(body);
    const enrollment = await findEnrollment(c.env.DB, userId, enrollmentId);
    if (enrollment === null) throw revoked();
    const { instanceId, generation, note, isNew } = await enroll(c, enrollment, body);
    const issued = await issueInstanceToken(c.env, userId, instanceId, generation);
    return c.json({ ...issued, note }, isNew ? 201 : 200);
  }
}

function checkMachineId({ provider, machine_id }: EnrollBody): void {
  const own = MACHINE_IDS[provider];
  const issue =
    own === null ? referenceIssue(provider, machine_id) : own.form.test(machine_id) ? null : own.words;
  if (issue !== null) throw invalid([{ path: "body.machine_id", message: issue }]);
}

interface Enrolled {
  readonly instanceId: string;
  readonly generation: number;
  readonly note: string | null;
  readonly isNew: boolean;
}

async function enroll(c: ApiContext, enrollment: Enrollment, body: EnrollBody): Promise<Enrolled> {
  const { userId } = enrollment;
  const machine: EnrollingMachine = {
    keyDigest: await sha256Hex(`${userId}/${body.machine_key}`),
    by: enrollment.name,
    // An id that is no path is the reference too.
    machine: {
      provider: body.provider,
      ref: (MACHINE_IDS[body.provider] === null ? null : body.provider_ref) ?? body.machine_id,
    },
  };
  const use: Use = {
    enrollmentId: enrollment.id,
    machine: `${body.provider}/${body.machine_id}`,
    takenBy: crypto.randomUUID(),
  };
  const found = await findInstance(c.env, userId, body.machine_id, machine);
  if (found?.isOwn) return { ...found, note: null, isNew: false };
  await takeOrThrow(c.env, use, found !== null);
  try {
    const enrolled =
      found === null
        ? await register(c, enrollment, body, machine)
        : await join(c.env, userId, found.instanceId, machine);
    await noteRegistered(c.env.DB, use, userId, Date.now());
    return enrolled;
  } catch (error) {
    // One that exists may come from another request of this machine. What failed in another way may have been done all the same.
    const cameToNothing = error instanceof ApiError && error.code !== "exists";
    if (cameToNothing) await giveBackUse(c.env.DB, use);
    throw error;
  }
}

/** `isThere`: its owner has registered the machine anew since. */
async function takeOrThrow(env: Env, use: Use, isThere: boolean): Promise<void> {
  const taking = await takeUse(env.DB, use, Date.now());
  switch (taking) {
    case "taken":
      return;
    case "registered_before":
      if (isThere) return;
      throw new ApiError("removed", text("error.enrollment_removed"));
    case "expired":
      throw new ApiError("enrollment_expired", text("error.enrollment_expired"));
    case "used_up":
      throw new ApiError("enrollment_used_up", text("error.enrollment_used_up"));
    case "not_valid":
      throw revoked();
  }
}

const revoked = () => new ApiError("unauthorized", text("error.enrollment_revoked"));

async function join(
  env: Env,
  userId: string,
  instanceId: string,
  machine: EnrollingMachine,
): Promise<Enrolled> {
  const answer = await askInstance(env, userId, instanceId, machine, true);
  switch (answer.outcome) {
    case "own":
    case "free":
      return { instanceId, generation: answer.tokenGeneration, note: null, isNew: true };
    case "taken":
      throw await isTaken(env, userId, instanceId, machine);
    case "unknown":
      // It was removed in between.
      throw unavailable(5);
  }
}

async function register(
  c: ApiContext,
  { userId, id, defaults }: Enrollment,
  body: EnrollBody,
  { machine, keyDigest, by }: EnrollingMachine,
): Promise<Enrolled> {
  const instanceId = body.machine_id;
  const { namePrefix, callProvider, hourlyCost, hibernatedHourlyCost, tags = {} } = defaults;
  const asked = { userId, instanceId, kind: body.provider, ref: machine.ref, callProvider };
  const { provider, connection, sighted, overrides, note } = await reachOf(c.env, asked);
  const wanted = {
    instanceId,
    name: `${namePrefix}${instanceId}`,
    provider,
    connection,
    providerRef: machine.ref === instanceId ? null : machine.ref,
    hourlyCost,
    hibernatedHourlyCost,
    tags,
    overrides,
  };
  const generation = await registerInstance(c.env, userId, wanted, {
    limitKey: `enrollment/${id}`,
    look: async () => sighted,
    enrollment: { keyDigest, by },
    requestId: c.var.requestId,
  });
  return { instanceId, generation, note, isNew: true };
}

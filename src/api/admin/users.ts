import { z } from "zod";
import {
  type Account,
  findAccount,
  listAccounts,
  requestDeletion,
  resumeUser,
  suspendUser,
} from "../../accounts/standing.ts";
import { createUser, type User } from "../../accounts/users.ts";
import { startDeletion } from "../../deletion/workflow.ts";
import { idCursor, nextIdCursor, pageLimit } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { SECOND_MS, toIso } from "../../lifecycle/model/time.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { within } from "../../platform/within.ts";
import { noteServiceEvent } from "../../service/service.ts";
import { idParams, nameSchema } from "../admin.ts";

/** Users, as the operator makes, suspends and deletes them. */

const userSchema = component(
  "User",
  z.object({ user_id: z.string(), name: z.string(), created_at: z.string() }),
);

const userExample: z.infer<typeof userSchema> = {
  user_id: "u-0b0f6f0e-6f43-4c3f-9a0e-0a0c4c0e3d1f",
  name: "Ada",
  created_at: "2025-12-18T11:50:00Z",
};

const createUserSchema = component("CreateUserRequest", z.strictObject({ name: nameSchema }));

export class CreateUser extends Endpoint {
  override schema = {
    operationId: "createUser",
    tags: ["Administration"],
    summary: "Create a user",
    security: security("admin"),
    request: { body: jsonBody(createUserSchema, { name: "Ada" }) },
    responses: {
      201: jsonResponse("The user", userSchema, userExample),
      ...errorResponses(400, 401, 403, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    return c.json(userView(await createUser(c.env.DB, body.name, Date.now())), 201);
  }
}

const usersQuery = z.object({ limit: pageLimit(100), cursor: idCursor.optional() });

const standingSchema = z.enum(["active", "suspended", "deleting", "deleted"]);

const usersSchema = component(
  "UserList",
  z.object({
    users: z.array(component("ListedUser", userSchema.extend({ standing: standingSchema }))),
    next_cursor: z.string().nullable(),
  }),
);

export class ListUsers extends Endpoint {
  override schema = {
    operationId: "listUsers",
    tags: ["Administration"],
    summary: "List users",
    security: security("admin"),
    request: { query: usersQuery },
    responses: {
      200: jsonResponse("A page of users, in the order of their ids", usersSchema, {
        users: [{ ...userExample, standing: "active" }],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const accounts = await listAccounts(c.env.DB, query.cursor ?? "", query.limit);
    const users = accounts.flatMap((account) => {
      const { id, user } = account;
      return user === null ? [] : [{ ...userView({ id, ...user }), standing: standingOf(account) }];
    });
    const ids = accounts.map(({ id }) => id);
    return c.json({ users, next_cursor: nextIdCursor(ids, query.limit) });
  }
}

const accountSchema = component(
  "UserAccount",
  z.object({
    user_id: z.string(),
    name: z.string().nullable().describe("Null once the user is deleted"),
    created_at: z.string().nullable(),
    standing: standingSchema,
    suspended_at: z.string().nullable(),
    deletion: z
      .object({
        requested_at: z.string(),
        finished_at: z.string().nullable(),
        instances: z.number().describe("Erased so far"),
        rows: z.number().describe("Rows of the database deleted so far"),
      })
      .nullable(),
  }),
);

const accountExample: z.infer<typeof accountSchema> = {
  ...userExample,
  standing: "active",
  suspended_at: null,
  deletion: null,
};

export class GetUser extends Endpoint {
  override schema = {
    operationId: "getUser",
    tags: ["Administration"],
    summary: "See how a user stands",
    description: "Also how far a deletion has come, and later that there was one.",
    security: security("admin"),
    request: { params: idParams },
    responses: {
      200: jsonResponse("The user", accountSchema, accountExample),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    return c.json(accountView(await accountOf(c.env, params.id)));
  }
}

/** The fleet calls its first instances before it answers. */
const FLEET_LIMIT_MS = 30 * SECOND_MS;

export class SuspendUser extends Endpoint {
  override schema = {
    operationId: "suspendUser",
    tags: ["Administration"],
    summary: "Suspend a user",
    description:
      "The user's tokens are refused at once, instance tokens within minutes, both with 403 `suspended`. No order is given any more, to no provider and no agent: machines that run go on running, and cost money. One that a provider has accepted goes on. Safe to repeat.",
    security: security("admin"),
    request: { params: idParams },
    responses: {
      200: jsonResponse("The user is suspended", accountSchema, {
        ...accountExample,
        standing: "suspended",
        suspended_at: "2025-12-19T03:25:45Z",
      }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await livingAccount(c.env, params.id);
    await suspendUser(c.env.DB, params.id, Date.now());
    await within(FLEET_LIMIT_MS, fleetOf(c.env, params.id).account({ type: "suspend" }));
    const account = await accountOf(c.env, params.id);
    await tellStanding(c.env, params.id, "user_suspended", account.suspendedAt ?? Date.now());
    return c.json(accountView(account));
  }
}

export class ResumeUser extends Endpoint {
  override schema = {
    operationId: "resumeUser",
    tags: ["Administration"],
    summary: "End the suspension of a user",
    description:
      "Silence counts from now, for each instance from the moment at which it hears of it. Safe to repeat.",
    security: security("admin"),
    request: { params: idParams },
    responses: {
      200: jsonResponse("The user is active", accountSchema, accountExample),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const before = await livingAccount(c.env, params.id);
    // First the fleet: a token that is let in must not find instances that nobody tells.
    await within(FLEET_LIMIT_MS, fleetOf(c.env, params.id).account({ type: "resume" }));
    if (before.suspendedAt !== null) await tellStanding(c.env, params.id, "user_resumed", Date.now());
    if (!(await resumeUser(c.env.DB, params.id))) throw beingDeleted();
    // It may have compared with the database in between.
    await within(FLEET_LIMIT_MS, answerOr(fleetOf(c.env, params.id).takeStanding(), false));
    return c.json(accountView(await accountOf(c.env, params.id)));
  }
}

export class DeleteUser extends Endpoint {
  override schema = {
    operationId: "deleteUser",
    tags: ["Administration"],
    summary: "Delete a user with all that is the user's",
    description:
      "The user's tokens are refused at once. Instances with their tokens, channels, credentials and history go one after the other: `GET` the same path to see how far it has come. An event of the service tells of the end. No machine is touched at its provider: whatever runs goes on running. There is no way back. Safe to repeat: one that has failed for too long goes on.",
    security: security("admin"),
    request: { params: idParams },
    responses: {
      202: jsonResponse("It has begun, or is done", accountSchema, {
        ...accountExample,
        standing: "deleting",
        suspended_at: "2025-12-19T03:25:45Z",
        deletion: { requested_at: "2025-12-19T03:25:45Z", finished_at: null, instances: 0, rows: 0 },
      }),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await requestDeletion(c.env.DB, params.id, Date.now());
    const account = await accountOf(c.env, params.id);
    if (account.deletion === null) throw new Error("the deletion was not noted");
    if (account.deletion.finishedAt === null) {
      await startDeletion(c.env, params.id, account.deletion.progress);
    }
    return c.json(accountView(account), 202);
  }
}

async function accountOf(env: Env, userId: string): Promise<Account> {
  const account = await findAccount(env.DB, userId);
  if (account === null) throw notFound();
  return account;
}

/** Throws 409 for one that is being deleted. */
async function livingAccount(env: Env, userId: string): Promise<Account> {
  const account = await accountOf(env, userId);
  if (account.deletion !== null) throw beingDeleted();
  return account;
}

const beingDeleted = () => new ApiError("not_possible", "The user is being deleted, or is deleted already");

/** Once, however often it is asked with the same moment. */
async function tellStanding(
  env: Env,
  userId: string,
  kind: "user_suspended" | "user_resumed",
  at: number,
): Promise<void> {
  const message = `User ${userId} was ${kind === "user_suspended" ? "suspended" : "resumed"}`;
  const detail = { user_id: userId };
  await noteServiceEvent(env, { id: `${kind}-${userId}`, at, kind, severity: "info", message, detail });
}

function userView(user: User): z.infer<typeof userSchema> {
  return { user_id: user.id, name: user.name, created_at: toIso(user.createdAt) };
}

function accountView({ id, user, suspendedAt, deletion }: Account): z.infer<typeof accountSchema> {
  return {
    user_id: id,
    name: user?.name ?? null,
    created_at: user === null ? null : toIso(user.createdAt),
    standing: standingOf({ suspendedAt, deletion }),
    suspended_at: suspendedAt === null ? null : toIso(suspendedAt),
    deletion: deletion && {
      requested_at: toIso(deletion.requestedAt),
      finished_at: deletion.finishedAt === null ? null : toIso(deletion.finishedAt),
      instances: deletion.progress.instances,
      rows: deletion.progress.rows,
    },
  };
}

function standingOf({
  suspendedAt,
  deletion,
}: Pick<Account, "suspendedAt" | "deletion">): z.infer<typeof standingSchema> {
  if (deletion !== null) return deletion.finishedAt === null ? "deleting" : "deleted";
  return suspendedAt === null ? "active" : "suspended";
}

import { z } from "zod";
import { findAccount } from "../../accounts/standing.ts";
import type { FleetActor } from "../../fleet/actor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import type { InstanceActor } from "../../instance/actor.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf, fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import type { RestorePrepared, RestoreTarget } from "../../platform/point-in-time.ts";
import { within } from "../../platform/within.ts";
import { demandUser, userInstanceParams, userParams } from "./act.ts";

/** Sets one object back to a former moment: the fleet of a user, or one instance. */

const CALL_LIMIT_MS = 20 * SECOND_MS;

const restoreSchema = component(
  "RestoreRequest",
  z.union([
    z.strictObject({ at: z.iso.datetime({ offset: true }) }),
    z.strictObject({ bookmark: z.string().min(1).max(200) }),
  ]),
);

const restoredSchema = component(
  "Restored",
  z.object({
    success: z.literal(true),
    undo: z.string().describe("The bookmark of what was there before: restore it to undo this"),
  }),
);

const RESTORE = {
  tags: ["Administration"],
  description:
    "To a time of the last 30 days, or to a bookmark that an earlier restore answered. What happened since then is lost to the object; the history keeps it. The time in between counts as a downtime of the service: nothing is done for the silence in it, and orders of then are called off. A local server keeps no former states: 409 `not_possible`. `docs/operations.md` says what to restore together, and in which order.",
  security: security("admin"),
};

const BODY = jsonBody(restoreSchema, { at: "2025-12-18T11:50:00Z" });

const RESPONSES = {
  200: jsonResponse("It is as it was then, and goes on", restoredSchema, {
    success: true,
    undo: "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683",
  }),
  ...errorResponses(400, 401, 403, 404, 409, 413),
};

export class RestoreFleet extends Endpoint {
  override schema = {
    ...RESTORE,
    operationId: "restoreFleet",
    summary: "Set the fleet of a user back to a former moment",
    request: { params: userParams, body: BODY },
    responses: RESPONSES,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const account = await findAccount(c.env.DB, params.id);
    if (account === null || account.user === null) throw notFound();
    if (account.deletion !== null) {
      throw new ApiError("not_possible", "The user is being deleted: nothing of it comes back");
    }
    const fleet = () => fleetOf(c.env, params.id);
    const undo = undoOf(await within(CALL_LIMIT_MS, fleet().prepareRestore(targetOf(body))));
    await restart(fleet());
    await within(CALL_LIMIT_MS, fleet().goOnFromFormer());
    const taken = await within(CALL_LIMIT_MS, answerOr(fleet().takeStanding(), null));
    // A fleet of the release before only knows how it was then.
    const type = account.suspendedAt === null ? "resume" : "suspend";
    if (taken === null) await within(CALL_LIMIT_MS, fleet().account({ type }));
    return c.json({ success: true, undo });
  }
}

export class RestoreInstance extends Endpoint {
  override schema = {
    ...RESTORE,
    operationId: "restoreInstance",
    summary: "Set one instance back to a former moment",
    request: { params: userInstanceParams, body: BODY },
    responses: RESPONSES,
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const target = targetOf(body);
    // A stub that outlives a restart fails for good.
    const actor = () => actorOf(c.env, params.id, params.instance_id);
    const lastRevision = await within(
      CALL_LIMIT_MS,
      fleetOf(c.env, params.id).lastRevision(params.instance_id),
    );
    const { used, ...prepared } = await within(CALL_LIMIT_MS, actor().prepareRestore(target));
    const undo = undoOf(prepared);
    await restart(actor());
    const presence = await within(
      CALL_LIMIT_MS,
      actor().resume({
        origin: "restore",
        knownUntil: "at" in target ? target.at : null,
        lastId: Math.max(used.lastId, lastRevision),
        tokenGeneration: used.tokenGeneration,
      }),
    );
    if (presence === "unknown") {
      throw new ApiError("not_possible", `There was no such instance then. Restore this to undo it: ${undo}`);
    }
    return c.json({ success: true, undo });
  }
}

function targetOf(body: z.infer<typeof restoreSchema>): RestoreTarget {
  return "at" in body ? { at: Date.parse(body.at) } : body;
}

function undoOf(prepared: RestorePrepared): string {
  switch (prepared.outcome) {
    case "prepared":
      return prepared.undo;
    case "unsupported":
      throw new ApiError("not_possible", "This server keeps no former states of its objects");
    case "refused":
      throw new ApiError("not_possible", `The platform cannot go back there: ${prepared.because}`);
  }
}

/** Ends the object. That it answers with an error is how it ends. */
async function restart(
  stub: DurableObjectStub<FleetActor> | DurableObjectStub<InstanceActor>,
): Promise<void> {
  await within(CALL_LIMIT_MS, stub.restart()).catch(() => undefined);
}

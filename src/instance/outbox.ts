import { z } from "zod";
import { appendChunk, appendEvent } from "../history/append.ts";
import type { PendingEffect } from "../lifecycle/effects.ts";
import type { InstanceEvent } from "../lifecycle/instance-event.ts";
import { type PolicyOverrides, policyOverridesSchema } from "../lifecycle/policy.ts";
import { deleteInstance, upsertInstance } from "./registry.ts";
import type { StoredInstance } from "./storage.ts";

/** What came of carrying effects out. */
export interface Delivery {
  /** Effects that are done and may leave the outbox. */
  readonly done: ReadonlySet<number>;
  /** Answers to be decided upon. */
  readonly answers: readonly InstanceEvent[];
  /** The user's policy as the database has it now; null when it was not asked. */
  readonly userPolicy: { readonly overrides: PolicyOverrides; readonly version: number } | null;
  /** The registry has let go of the instance. */
  readonly forgotten: boolean;
}

/** Far below the 1,000 queries that D1 grants an invocation; a longer backlog goes in several batches. */
const EFFECTS_PER_BATCH = 100;

const userPolicyRow = z.object({
  policy: z.string().transform((text) => policyOverridesSchema.parse(JSON.parse(text))),
  policy_version: z.number(),
});

/**
 * Carries out the oldest effects of the outbox, each of which may have been carried out before. All that goes to D1
 * travels as one transaction, and brings the user's policy back: whatever change of it this instance has not heard
 * of reaches it here. Throws when D1 does not take the batch; nothing is then done.
 */
export async function deliver(db: D1Database, stored: StoredInstance): Promise<Delivery> {
  const batch = stored.state.outbox.slice(0, EFFECTS_PER_BATCH);
  const statements = batch.flatMap((pending) => statementsFor(db, stored, pending));
  const userPolicy = db.prepare("SELECT policy, policy_version FROM users WHERE id = ?").bind(stored.userId);
  const results = await db.batch([...statements, userPolicy]);
  const row = userPolicyRow.safeParse(results.at(-1)?.results[0]).data;
  return {
    done: new Set(batch.map(({ id }) => id)),
    answers: batch.flatMap(answersTo),
    userPolicy: row === undefined ? null : { overrides: row.policy, version: row.policy_version },
    forgotten: batch.some(({ effect }) => effect.type === "forget"),
  };
}

function statementsFor(
  db: D1Database,
  stored: StoredInstance,
  { effect }: PendingEffect,
): D1PreparedStatement[] {
  const { userId, instanceId } = stored;
  switch (effect.type) {
    case "chunk": {
      const [first, ...rest] = effect.heartbeats;
      return first === undefined ? [] : [appendChunk(db, userId, instanceId, [first, ...rest])];
    }
    case "event":
      return [appendEvent(db, userId, instanceId, effect.event)];
    case "projection":
      return [upsertInstance(db, stored)];
    case "forget":
      return [deleteInstance(db, userId, instanceId)];
    case "guard":
    case "action":
      return [];
  }
}

/** Only providers that are called ask for these two, and none is installed: nothing is done on their behalf. */
function answersTo({ effect }: PendingEffect): InstanceEvent[] {
  switch (effect.type) {
    case "guard":
      return [{ type: "guard.deferred" }];
    case "action":
      return [
        {
          type: "action.failed",
          actionId: effect.order.actionId,
          because: "no driver for this provider is installed",
        },
      ];
    case "chunk":
    case "event":
    case "projection":
    case "forget":
      return [];
  }
}

import { z } from "zod";
import type { ComparedRow } from "../fleet/report.ts";
import { FIRST_WALK, historyWalkSchema, instancesInHistory } from "../history/instances.ts";
import type { InstanceDifference, Reconciled } from "../instance/reconcile.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actorOf, fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { within } from "../platform/within.ts";

/**
 * Holds a user's registry, instances and counts against each other, and mends what is apart. It walks in pages that are bounded in
 * calls. Whatever it does it may do twice: a report is asked for, an alarm is armed, counts are counted anew. It removes nothing
 * but a row, or a claim, that no instance stands behind.
 */

export type Difference =
  | InstanceDifference
  /** The registry lists what its actor does not know. */
  | "row_without_actor"
  /** A machine is held by an instance that neither the registry nor its actor knows. */
  | "claim_without_instance"
  /** The fleet takes its user for suspended, or for active, and D1 says otherwise. */
  | "standing_wrong"
  | "counts_wrong"
  | "silences_wrong";

export const DIFFERENCES = [
  "row_without_actor",
  "row_outdated",
  "actor_set_back",
  "actor_without_row",
  "alarm_lost",
  "claim_without_instance",
  "standing_wrong",
  "counts_wrong",
  "silences_wrong",
] as const satisfies readonly Difference[];

/** Where the walk over one user has come to. */
export const reconcilePlaceSchema = z.discriminatedUnion("part", [
  z.object({ part: z.literal("rows"), after: z.string().max(200) }),
  z.object({ part: z.literal("claims"), after: z.string().max(200) }),
  z.object({ part: z.literal("history"), walk: historyWalkSchema }),
  z.object({ part: z.literal("counts") }),
]);

export type ReconcilePlace = Readonly<z.infer<typeof reconcilePlaceSchema>>;

export const FIRST_PLACE: ReconcilePlace = { part: "rows", after: "" };

/** What was found apart, and mended with that. */
export interface Found {
  readonly differences: Readonly<Partial<Record<Difference, number>>>;
  /** Instances that were looked at. */
  readonly looked: number;
  /** Those that did not answer, or that can't be read: nothing is known of them. */
  readonly unknown: number;
  /** How many calls it took, as the platform counts them. */
  readonly calls: number;
}

export const NOTHING_FOUND: Found = { differences: {}, looked: 0, unknown: 0, calls: 0 };

export interface ReconciledPage {
  /** Null when the user is through. */
  readonly next: ReconcilePlace | null;
  readonly found: Found;
}

/** Each takes at most two calls, and a page a few more. */
const INSTANCES_PER_PAGE = 50;

const CALL_LIMIT_MS = 10 * SECOND_MS;

/** Reconciles the next page of a user. Throws when the fleet is out of reach, or the history. */
export async function reconcilePage(
  env: Env,
  userId: string,
  place: ReconcilePlace,
): Promise<ReconciledPage> {
  switch (place.part) {
    case "rows":
      return reconcileRows(env, userId, place.after);
    case "claims":
      return reconcileClaims(env, userId, place.after);
    case "history": {
      const { ids, next } = await instancesInHistory(env, userId, place.walk, INSTANCES_PER_PAGE);
      const { found } = await findStrangers(env, userId, ids);
      return {
        next: next === null ? { part: "counts" } : { part: "history", walk: next },
        found: { ...found, calls: found.calls + 1 },
      };
    }
    case "counts":
      // Last: what was mended before counts.
      return { next: null, found: await recount(env, userId) };
  }
}

export function addFound(one: Found, other: Found): Found {
  const differences = { ...one.differences };
  for (const difference of DIFFERENCES) {
    const count = (one.differences[difference] ?? 0) + (other.differences[difference] ?? 0);
    if (count > 0) differences[difference] = count;
  }
  return {
    differences,
    looked: one.looked + other.looked,
    unknown: one.unknown + other.unknown,
    calls: one.calls + other.calls,
  };
}

function foundOf(differences: readonly Difference[], more: Partial<Omit<Found, "differences">> = {}): Found {
  const each = differences.map(
    (difference): Found => ({ ...NOTHING_FOUND, differences: { [difference]: 1 } }),
  );
  return [{ ...NOTHING_FOUND, ...more }, ...each].reduce(addFound);
}

/** Each instance is held against its row. */
async function reconcileRows(env: Env, userId: string, after: string): Promise<ReconciledPage> {
  const rows = await within(CALL_LIMIT_MS, fleetOf(env, userId).comparedAfter(after, INSTANCES_PER_PAGE));
  const first = await compare(env, userId, rows, true);
  // What a report has changed meanwhile is not apart: whoever differs is looked at again, against the row as it is now.
  const differing = rows.filter((_, index) => isApart(first[index]));
  const again =
    differing.length === 0
      ? []
      : await within(
          CALL_LIMIT_MS,
          fleetOf(env, userId).comparedAmong(differing.map(({ instanceId }) => instanceId)),
        );
  const second = await compare(env, userId, again, false);
  const ghosts = again.filter((_, index) => second[index]?.presence === "unknown");
  const removed =
    ghosts.length === 0 ? 0 : await within(CALL_LIMIT_MS, fleetOf(env, userId).removeUnknown(ghosts));
  const differences: Difference[] = [
    ...first.flatMap((one) => one?.differences.filter((each) => each === "alarm_lost") ?? []),
    ...second.flatMap((one) => one?.differences.filter((each) => each !== "alarm_lost") ?? []),
    ...Array.from({ length: removed }, () => "row_without_actor" as const),
  ];
  const unknown = first.filter((one) => one === null || one.presence === "unreadable").length;
  const last = rows.at(-1);
  return {
    next:
      last !== undefined && rows.length === INSTANCES_PER_PAGE
        ? { part: "rows", after: last.instanceId }
        : { part: "claims", after: "" },
    found: foundOf(differences, {
      looked: rows.length,
      unknown,
      calls: 1 + rows.length + Math.sign(differing.length) + again.length + Math.sign(ghosts.length),
    }),
  };
}

function isApart(one: Reconciled | null | undefined): boolean {
  if (one === null || one === undefined) return false;
  return one.presence === "unknown" || one.differences.some((each) => each !== "alarm_lost");
}

/** Null for those that did not answer. */
async function compare(
  env: Env,
  userId: string,
  rows: readonly ComparedRow[],
  look: boolean,
): Promise<(Reconciled | null)[]> {
  return askAll(env, userId, rows, (row) => ({ instanceId: row.instanceId, row, look }));
}

async function askAll<T>(
  env: Env,
  userId: string,
  all: readonly T[],
  question: (one: T) => { instanceId: string; row: ComparedRow | null; look: boolean },
): Promise<(Reconciled | null)[]> {
  const calls = await Promise.allSettled(
    all.map((one) => {
      const { instanceId, row, look } = question(one);
      return within(CALL_LIMIT_MS, actorOf(env, userId, instanceId).reconcile(row, look));
    }),
  );
  return calls.map((call) => (call.status === "fulfilled" ? call.value : null));
}

/** Instances that the registry does not list, and that exist all the same, are asked to report. */
async function findStrangers(
  env: Env,
  userId: string,
  ids: readonly string[],
): Promise<{ readonly found: Found; readonly nobody: readonly string[] }> {
  if (ids.length === 0) return { found: NOTHING_FOUND, nobody: [] };
  const listed = await within(CALL_LIMIT_MS, fleetOf(env, userId).comparedAmong(ids));
  const isListed = new Set(listed.map(({ instanceId }) => instanceId));
  const strangers = ids.filter((id) => id !== "" && !isListed.has(id));
  const answers = await askAll(env, userId, strangers, (instanceId) => ({
    instanceId,
    row: null,
    look: false,
  }));
  return {
    found: foundOf(
      answers.flatMap((one) => one?.differences ?? []),
      {
        looked: strangers.length,
        unknown: answers.filter((one) => one === null || one.presence === "unreadable").length,
        calls: 1 + strangers.length,
      },
    ),
    nobody: strangers.filter((_, index) => answers[index]?.presence === "unknown"),
  };
}

async function reconcileClaims(env: Env, userId: string, after: string): Promise<ReconciledPage> {
  const fleet = fleetOf(env, userId);
  const ids = await within(CALL_LIMIT_MS, fleet.claimantsAfter(after, INSTANCES_PER_PAGE));
  const { found, nobody } = await findStrangers(env, userId, ids);
  const released = await Promise.all(nobody.map((id) => within(CALL_LIMIT_MS, fleet.releaseClaims(id))));
  const claims = released.filter(Boolean).map((): Difference => "claim_without_instance");
  const last = ids.at(-1);
  return {
    next:
      last !== undefined && ids.length === INSTANCES_PER_PAGE
        ? { part: "claims", after: last }
        : { part: "history", walk: FIRST_WALK },
    found: addFound(found, foundOf(claims, { calls: 1 + nobody.length })),
  };
}

async function recount(env: Env, userId: string): Promise<Found> {
  const fleet = fleetOf(env, userId);
  const standing = await within(CALL_LIMIT_MS, answerOr(fleet.takeStanding(), false));
  const { counts, silences } = await within(CALL_LIMIT_MS, fleet.recount());
  const differences: Difference[] = [
    ...(standing ? ["standing_wrong" as const] : []),
    ...(counts ? ["counts_wrong" as const] : []),
    ...(silences ? ["silences_wrong" as const] : []),
  ];
  return foundOf(differences, { calls: 2 });
}

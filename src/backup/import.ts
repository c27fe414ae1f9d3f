import { bringAct } from "../accounts/audit.ts";
import { areDefaults, bringEnrolledMachine, bringEnrollment } from "../accounts/enrollments.ts";
import { bringIdentity } from "../accounts/identities.ts";
import { bringPerson, personRoleSchema } from "../accounts/people.ts";
import { reseal, unseal } from "../accounts/seal.ts";
import { findAccount } from "../accounts/standing.ts";
import { bringToken } from "../accounts/user-tokens.ts";
import { bringUser } from "../accounts/users.ts";
import type { Pause } from "../alerts/channels/record.ts";
import { channelPurpose } from "../alerts/channels/registry.ts";
import { channelKindSchema } from "../alerts/channels/settings.ts";
import { bringChunk, bringCostDay, bringEvent, bringHour } from "../history/bring.ts";
import { chooseShard, historyOf } from "../history/shards.ts";
import type { BringOutcome } from "../instance/bring.ts";
import { type HistoryEventKind, severitySchema } from "../lifecycle/model/history-event.ts";
import { policyOverridesSchema } from "../lifecycle/model/policy-settings.ts";
import { calledKind } from "../lifecycle/model/provider.ts";
import { openEnum, storedDetail } from "../lifecycle/model/stored.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { within } from "../platform/within.ts";
import { credentialsPurpose, firstConnection } from "../providers/connections.ts";
import { bringInstance } from "./import-instance.ts";
import type { Line, LineOf } from "./lines.ts";
import { broughtIf, CALL_LIMIT_MS, type Import, KNOWN, keyBrought, refused, unreadIn } from "./taking.ts";

/**
 * Takes lines of an export into this service. Whatever is here already stays as it is: so an import that was cut off is simply
 * begun anew, and a second one changes nothing.
 */

/** Takes lines in their order. Throws where the service is out of reach: then the same lines can be sent again. */
export async function bringLines(env: Env, target: Import, lines: readonly Line[]): Promise<BringOutcome[]> {
  const history = await bringHistory(env, target, lines);
  const brought: BringOutcome[] = [];
  for (const line of lines) brought.push(history.get(line) ?? (await bringLine(env, target, line)));
  return brought;
}

async function bringLine(env: Env, target: Import, line: Line): Promise<BringOutcome> {
  const { userId } = target;
  switch (line.type) {
    case "export":
      return KNOWN;
    case "user":
      return bringAccount(env, userId, line);
    case "token":
      // A token names its user: it is good for no other.
      return target.from === userId
        ? keyBrought(await bringToken(env.DB, userId, line, target.exportedAt))
        : KNOWN;
    case "enrollment":
      if (target.from !== userId) return KNOWN;
      if (!areDefaults(line.defaults)) return refused("this version of the service cannot read its defaults");
      return keyBrought(await bringEnrollment(env.DB, userId, line, target.exportedAt));
    case "enrolled_machine":
      return target.from === userId ? broughtIf(await bringEnrolledMachine(env.DB, userId, line)) : KNOWN;
    case "person":
      return bringPersonOf(env, target, line);
    case "identity":
      return target.from === userId
        ? keyBrought(await bringIdentity(env.DB, userId, line, target.exportedAt))
        : KNOWN;
    case "fleet":
      return bringFleet(env, userId, line);
    case "channel":
      return bringChannel(env, target, line);
    case "credentials":
      return bringCredentials(env, target, line);
    case "instance":
      return bringInstance(env, target, line);
    case "act":
    case "event":
    case "heartbeats":
    case "hour":
    case "cost_day":
      return KNOWN;
  }
}

/** What a person of a newer version may do is not known here: then nobody comes in by a guess. */
async function bringPersonOf(
  env: Env,
  { userId, from }: Import,
  line: LineOf<"person">,
): Promise<BringOutcome> {
  if (from !== userId) return KNOWN;
  const role = personRoleSchema.safeParse(line.role).data;
  if (role === undefined) return refused("this version of the service does not know such a role");
  return broughtIf(await bringPerson(env.DB, userId, { ...line, role }));
}

async function bringAccount(env: Env, userId: string, line: LineOf<"user">): Promise<BringOutcome> {
  const { name, created_at: createdAt, suspended_at: suspendedAt } = line;
  const told = {
    language: line.language,
    timeZone: line.time_zone,
    keysForgottenUntil: line.keys_forgotten_until,
  };
  const isNew = await bringUser(env.DB, { id: userId, name, createdAt }, suspendedAt, told);
  // Also for one that is here: the import before may have been cut off in between.
  const isSuspended = suspendedAt !== null && (await findAccount(env.DB, userId))?.suspendedAt != null;
  if (isSuspended) await within(CALL_LIMIT_MS, fleetOf(env, userId).account({ type: "suspend" }));
  return broughtIf(isNew);
}

/** An owner's policy comes whole or not at all: without a part of it, machines might be stopped too early. */
async function bringFleet(env: Env, userId: string, line: LineOf<"fleet">): Promise<BringOutcome> {
  const unread = unreadIn(line.policy);
  if (unread !== null) return refused(`this version of the service cannot read policy${unread}`);
  const policy = { overrides: policyOverridesSchema.parse(line.policy), version: line.policy_version };
  const fleet = fleetOf(env, userId);
  const isBrought = await within(
    CALL_LIMIT_MS,
    fleet.bringSettings(policy, line.hibernations, line.hibernations_by_month),
  );
  return broughtIf((await bringBudget(fleet, line)) || isBrought);
}

async function bringBudget(fleet: ReturnType<typeof fleetOf>, { budget }: LineOf<"fleet">): Promise<boolean> {
  if (budget === undefined) return false;
  const { day, month, at_limit: atLimit } = budget;
  return within(CALL_LIMIT_MS, answerOr(fleet.bringBudget({ day, month, atLimit }), false));
}

/** The text as this user's. The keys must be those of the service that sealed it. */
async function resealed(
  env: Env,
  sealed: string,
  purposes: { readonly from: string; readonly to: string },
): Promise<string | null> {
  try {
    if (purposes.from !== purposes.to) return await reseal(env.SEAL_KEY, sealed, purposes);
    await unseal(env.SEAL_KEY, purposes.from, sealed);
    return sealed;
  } catch {
    return null;
  }
}

const SEALED_BY_ANOTHER = "it was sealed with another SEAL_KEY: enter it anew";

async function bringChannel(env: Env, target: Import, line: LineOf<"channel">): Promise<BringOutcome> {
  const { userId, from } = target;
  const kind = channelKindSchema.safeParse(line.kind).data;
  if (kind === undefined) return refused("this version of the service does not know such a channel");
  const purposes = { from: channelPurpose(from, line.id), to: channelPurpose(userId, line.id) };
  const settings = await resealed(env, line.settings, purposes);
  if (settings === null) return refused(SEALED_BY_ANOTHER);
  const channel = {
    id: line.id,
    kind,
    name: line.name,
    minimumSeverity: severitySchema.catch("info").parse(line.minimum_severity),
    createdAt: line.created_at,
    confirmed: line.confirmed,
    paused: line.paused === undefined ? null : pauseOf(line.paused),
  };
  const exported = { channel, sealed: { settings, origin: line.origin } };
  return broughtIf(await within(CALL_LIMIT_MS, fleetOf(env, userId).bringChannel(exported, target.channels)));
}

/** One of a newer version is as if its owner had asked for it. */
function pauseOf({ at, because }: NonNullable<LineOf<"channel">["paused"]>): Pause {
  return { at, because: because === "gone" ? "gone" : "asked" };
}

async function bringCredentials(
  env: Env,
  { userId, from, connections }: Import,
  { kind: id, provider, name, created_at, sealed, set_at }: LineOf<"credentials">,
): Promise<BringOutcome> {
  const kind = calledKind(provider ?? id);
  if (kind === null) return refused("this version of the service does not know such a provider");
  const purposes = { from: credentialsPurpose(from, id), to: credentialsPurpose(userId, id) };
  const text = await resealed(env, sealed, purposes);
  if (text === null) return refused(SEALED_BY_ANOTHER);
  const credentials = { sealed: text, setAt: set_at };
  const first = firstConnection(kind, set_at);
  const connection = { id, kind, name: name ?? first.name, createdAt: created_at ?? first.createdAt };
  const fleet = fleetOf(env, userId);
  return broughtIf(
    await within(CALL_LIMIT_MS, fleet.bringCredentials(id, credentials, connection, connections)),
  );
}

/** All rows of a history among the lines, in one batch for each database. */
async function bringHistory(
  env: Env,
  { userId }: Import,
  lines: readonly Line[],
): Promise<ReadonlyMap<Line, BringOutcome>> {
  const hasCosts = lines.some(({ type }) => type === "cost_day");
  const costsShard = hasCosts ? await within(CALL_LIMIT_MS, fleetOf(env, userId).bringsCosts()) : 0;
  const byShard = new Map<number, { line: Line; statement: D1PreparedStatement }[]>();
  for (const line of lines) {
    const shard = shardFor(env, userId, line, costsShard);
    const statement = statementFor(historyOf(env, shard), userId, line);
    if (statement !== null) byShard.set(shard, [...(byShard.get(shard) ?? []), { line, statement }]);
  }
  const brought = new Map<Line, BringOutcome>();
  for (const [shard, rows] of byShard) {
    const results = await historyOf(env, shard).batch(rows.map(({ statement }) => statement));
    for (const [index, { line }] of rows.entries()) {
      brought.set(line, broughtIf((results[index]?.meta.changes ?? 0) > 0));
    }
  }
  // The fleet's totals of these days.
  if (hasCosts) await within(CALL_LIMIT_MS, fleetOf(env, userId).recallCosts());
  const events = lines.filter((line) => line.type === "event");
  if (events.length > 0) await within(CALL_LIMIT_MS, fleetOf(env, userId).bringEvents(events.map(toEvent)));
  return brought;
}

function shardFor(env: Env, userId: string, line: Line, costsShard: number): number {
  if (line.type === "cost_day") return costsShard;
  return "instance_id" in line && line.instance_id !== "" ? chooseShard(env, userId, line.instance_id) : 0;
}

function statementFor(db: D1Database, userId: string, line: Line): D1PreparedStatement | null {
  switch (line.type) {
    case "act":
      return bringAct(db, userId, line);
    case "event":
      return bringEvent(db, userId, line);
    case "heartbeats":
      return bringChunk(db, userId, line);
    case "hour":
      return bringHour(db, userId, line);
    case "cost_day":
      return bringCostDay(db, userId, line);
    case "export":
    case "user":
    case "token":
    case "enrollment":
    case "enrolled_machine":
    case "person":
    case "identity":
    case "fleet":
    case "channel":
    case "credentials":
    case "instance":
      return null;
  }
}

function toEvent({ instance_id, id, at, kind, severity, message, detail }: LineOf<"event">) {
  return {
    instanceId: instance_id === "" ? null : instance_id,
    event: {
      id,
      at,
      kind: openEnum<HistoryEventKind>().parse(kind),
      severity: severitySchema.catch("warning").parse(severity),
      message,
      ...storedDetail.parse(detail),
    },
  };
}

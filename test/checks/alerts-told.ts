import { toIso } from "../../src/lifecycle/model/time.ts";

/** Whether an owner was told all that there was to tell, and nothing twice. For the simulated lives and the soak alike. */

export interface RaisedAlert {
  readonly id: string;
  readonly at: number;
  /** Later than `at` where an order was under way, and nobody judged the silence until it had ended. */
  readonly raisedAt: number;
  readonly kind: string;
  /** Empty for what concerns no single instance. */
  readonly instanceId: string;
  /** Of one that says that an instance is back: since when it was gone. */
  readonly orphanedSince: number | null;
}

export interface ToldGroup {
  readonly kind: string;
  readonly lines: readonly {
    readonly instanceId: string;
    readonly eventId: string;
    readonly at: number;
  }[];
  /** How many more there were than `lines` names. */
  readonly more: number;
}

/** What an owner heard by one channel. */
export class Told {
  readonly #words = new Map<string, string>();
  readonly #groups = new Map<string, readonly ToldGroup[]>();
  readonly #say: (what: string) => void;
  /** Messages that came again with the same words. */
  again = 0;

  constructor(say: (what: string) => void) {
    this.#say = say;
  }

  /** `words`: all that the message says, but for what may differ from one try to the next. */
  hear(messageId: string, words: string, groups: readonly ToldGroup[]): void {
    const known = this.#words.get(messageId);
    if (known === undefined) {
      this.#words.set(messageId, words);
      this.#groups.set(messageId, groups);
      return;
    }
    this.again += 1;
    if (known !== words) this.#say(`message ${messageId} came twice with different words`);
  }

  get messages(): number {
    return this.#words.size;
  }

  /**
   * In the end each alert has been told by one message and no other: unless the guard's own message told it, or the same was
   * told less than `reminderMs` ago and lasts. `outageLeadMs`: more than lies between the first orphan of an outage and the
   * closing of the guard.
   */
  judge(alerts: readonly RaisedAlert[], reminderMs: number, outageLeadMs: number): void {
    const raised = new Set(alerts.map(keyOf));
    const told = new Map<string, string>();
    const more = new Map<string, number>();
    for (const [messageId, groups] of this.#groups) {
      for (const group of groups) {
        more.set(group.kind, (more.get(group.kind) ?? 0) + group.more);
        for (const line of group.lines) {
          const key = keyOf({ ...line, id: line.eventId });
          const other = told.get(key);
          if (other !== undefined) this.#say(`${key} was told by ${other} and by ${messageId}`);
          told.set(key, messageId);
          if (!raised.has(key)) this.#say(`${key} was told, and nobody raised it`);
        }
      }
    }
    const outages = outagesOf(alerts, outageLeadMs);
    const orphans = new Map(
      alerts.filter(({ kind }) => kind === "orphaned").map((alert) => [orphanKey(alert), alert.raisedAt]),
    );
    const isRepeat = repetitions(alerts, told, reminderMs);
    const untold = alerts.filter(
      (alert) => !told.has(keyOf(alert)) && !isOfAnOutage(alert, orphans, outages) && !isRepeat(alert),
    );
    for (const [kind, ofKind] of Map.groupBy(untold, (alert) => alert.kind)) {
      // Some may be among those that a message counted and did not name.
      if (ofKind.length <= (more.get(kind) ?? 0)) continue;
      for (const alert of ofKind) this.#say(`${kind} ${keyOf(alert)} was never told`);
    }
  }
}

function keyOf({ instanceId, id, at }: Pick<RaisedAlert, "instanceId" | "id" | "at">): string {
  return `${instanceId}/${id} of ${toIso(at)}`;
}

function repetitions(
  alerts: readonly RaisedAlert[],
  told: ReadonlyMap<string, string>,
  reminderMs: number,
): (alert: RaisedAlert) => boolean {
  const sorts = Map.groupBy(alerts, ({ instanceId, kind }) => `${instanceId}/${kind}`);
  return ({ instanceId, kind, at }) =>
    (sorts.get(`${instanceId}/${kind}`) ?? []).some(
      (other) => other.at < at && at - other.at < reminderMs && told.has(keyOf(other)),
    );
}

const TURNS: ReadonlySet<string> = new Set(["guard_closed", "guard_opened"]);

interface Outage {
  readonly from: number;
  readonly until: number;
}

function outagesOf(alerts: readonly RaisedAlert[], leadMs: number): Outage[] {
  // Between two turns of it, the guard may have told that it does not know how the service's stands.
  const turns = alerts
    .filter(({ kind, instanceId }) => instanceId === "" && TURNS.has(kind))
    .sort((a, b) => a.at - b.at);
  return turns.flatMap(({ kind, at }, index) =>
    kind === "guard_closed"
      ? [{ from: at - leadMs, until: turns[index + 1]?.at ?? Number.POSITIVE_INFINITY }]
      : [],
  );
}

/**
 * Whether the one message about a mass outage tells it for all of its instances. `orphans`: when it was raised that an instance is
 * an orphan.
 */
function isOfAnOutage(
  { instanceId, kind, at, raisedAt, orphanedSince }: RaisedAlert,
  orphans: ReadonlyMap<string, number>,
  outages: readonly Outage[],
): boolean {
  const within = (...moments: number[]) =>
    outages.some(({ from, until }) => moments.some((moment) => moment >= from && moment <= until));
  switch (kind) {
    case "orphaned":
    case "silent":
    case "abandoned":
      return within(at, raisedAt);
    // Whoever came back from an outage may do so long after the guard has opened.
    case "recovered": {
      const since = orphanedSince ?? at;
      return within(since, orphans.get(orphanKey({ instanceId, at: since })) ?? since);
    }
    default:
      return false;
  }
}

/** Times in details are whole seconds. */
function orphanKey({ instanceId, at }: Pick<RaisedAlert, "instanceId" | "at">): string {
  return `${instanceId} ${toIso(at)}`;
}

/** Since when an instance was gone, by the detail of the event that says that it is back. */
export function orphanedSinceOf(detail: Readonly<Record<string, unknown>>): number | null {
  return typeof detail.orphaned_since === "string" ? Date.parse(detail.orphaned_since) : null;
}

import { changeEach, type Fields, fieldsOf, isFields } from "./fields.ts";

/**
 * Version 0: the rows from before there were versions, in every shape that they ever had. What each lacks is filled with
 * what its absence meant:
 *
 * - the first lacked `usedLinks`, `profile.providerRef`, `flaps`, the reason of an order, and since when the instance was
 *   an orphan when it asked the guard;
 * - until agents were known, `agent` and a heartbeat's `activity`, and each heartbeat in time was the next in the history;
 * - until the page was built, `gpuTrend`;
 * - until the history was spread, `historyShard`: all was in the first;
 * - for a while heartbeats were stored as tuples.
 */
export function fromUnversioned(row: Fields): Fields {
  const state = fieldsOf(row.state);
  const counters = fieldsOf(state.counters);
  const { totalHeartbeats } = counters;
  return {
    ...row,
    historyShard: row.historyShard ?? 0,
    usedLinks: row.usedLinks ?? [],
    state: {
      ...state,
      profile: { ...fieldsOf(state.profile), providerRef: fieldsOf(state.profile).providerRef ?? null },
      recent: changeEach(state.recent, heartbeat),
      gpuTrend: state.gpuTrend ?? [],
      outbox: outbox(state.outbox, fieldsOf(state.phase)),
      flaps: state.flaps ?? { turns: [], told: false },
      agent: state.agent ?? {
        bootId: null,
        sequence: null,
        gpus: [],
        nextInHistory: typeof totalHeartbeats === "number" ? totalHeartbeats + 1 : undefined,
      },
    },
  };
}

const TUPLE = [
  "at",
  "sequence",
  "gpuPercent",
  "vramUsedGb",
  "cpuPercent",
  "ramUsedGb",
  "diskUsedGb",
  "costAccumulated",
  "uptimeSeconds",
  "status",
  "activity",
] as const;

function heartbeat(stored: unknown): unknown {
  if (Array.isArray(stored)) return Object.fromEntries(TUPLE.map((name, index) => [name, stored[index]]));
  return isFields(stored) ? { ...stored, activity: stored.activity ?? null } : stored;
}

function outbox(stored: unknown, phase: Fields): unknown {
  const changed = changeEach(stored, (pending) =>
    isFields(pending) ? { ...pending, effect: effect(fieldsOf(pending.effect), phase) } : pending,
  );
  return Array.isArray(changed) ? changed.filter((pending) => fieldsOf(pending).effect !== null) : changed;
}

/** The effect as it is written today; null for one that nobody waits for any more. */
function effect(stored: Fields, phase: Fields): Fields | null {
  switch (stored.type) {
    case "chunk":
      return { ...stored, heartbeats: changeEach(stored.heartbeats, heartbeat) };
    case "guard": {
      const orphanedSince = stored.orphanedSince ?? fieldsOf(phase.orphan).since;
      // An instance that came back since does not hear the answer.
      return orphanedSince === undefined ? null : { ...stored, orphanedSince };
    }
    case "action":
      return { ...stored, order: order(fieldsOf(stored.order), phase) };
    default:
      return stored;
  }
}

/** Why it was ordered follows from what was ordered; if not, silence is the reason that is looked into before acting. */
function order(stored: Fields, phase: Fields): Fields {
  if (stored.reason !== undefined) return stored;
  switch (stored.kind) {
    case "wake":
      return { ...stored, reason: "owner" };
    case "hibernate": {
      const underWay = fieldsOf(phase.action).id === stored.actionId || phase.status === "hibernated";
      return { ...stored, reason: (underWay ? phase.reason : null) ?? "silence" };
    }
    default:
      return { ...stored, reason: "silence" };
  }
}

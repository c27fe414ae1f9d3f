import { changeEach, type Fields, fieldsOf, isFields } from "./fields.ts";

/**
 * Version 1 to 2: an order knows its machine and how far it has come, a standing its failures, a machine when it was seen,
 * and the numbers of heartbeats are kept for themselves. What each lacked is filled with what is sure:
 *
 * - an order that somebody was told may be on its way: `trying`, or `accepted` by an instance that hears it in an answer;
 * - a question that waited for its answer is asked at once: nobody asked again before;
 * - a machine was never seen, so nothing that does not show it proves that it is gone.
 */
export function fromVersion1(row: Fields): Fields {
  const state = fieldsOf(row.state);
  const profile = fieldsOf(state.profile);
  const machine = { provider: profile.provider, providerRef: profile.providerRef };
  const agent = fieldsOf(state.agent);
  const { gpuHeartbeats } = fieldsOf(state.counters);
  return {
    ...row,
    state: {
      ...state,
      phase: phase(fieldsOf(state.phase), machine),
      outbox: changeEach(state.outbox, (pending) =>
        isFields(pending)
          ? { ...pending, effect: effect(fieldsOf(pending.effect), fieldsOf(state.phase), machine) }
          : pending,
      ),
      agent: {
        ...agent,
        hasGpu: typeof gpuHeartbeats === "number" && gpuHeartbeats > 0,
        rebootToldAt: null,
        lastWordAt: null,
      },
      sighted: null,
    },
  };
}

function phase(stored: Fields, machine: Fields): Fields {
  switch (stored.status) {
    case "running":
      return { ...stored, idle: isFields(stored.idle) ? { ...stored.idle, failed: null } : stored.idle };
    case "orphaned":
      return { ...stored, orphan: orphan(stored.orphan) };
    case "hibernating": {
      const { orphan: silent, ...kept } = stored;
      return {
        ...kept,
        action: action(stored.action, machine),
        before: isFields(silent)
          ? { status: "orphaned", orphan: orphan(silent) }
          : { status: "running", idle: null },
      };
    }
    case "hibernated":
      return hibernated(stored);
    case "waking":
      return { ...stored, action: action(stored.action, machine), confirmedAt: null };
    case "deleting":
      return {
        ...stored,
        action: action(stored.action, machine),
        orphan: orphan(stored.orphan),
        hibernated: isFields(stored.hibernated) ? hibernated(stored.hibernated) : stored.hibernated,
      };
    default:
      return stored;
  }
}

function hibernated(stored: Fields): Fields {
  return { ...stored, orphan: isFields(stored.orphan) ? orphan(stored.orphan) : stored.orphan };
}

function orphan(stored: unknown): unknown {
  if (!isFields(stored)) return stored;
  const guard = isFields(stored.guard)
    ? { ...stored.guard, askAgainAt: stored.guard.askAgainAt ?? 0 }
    : stored.guard;
  return { ...stored, guard, failed: null, deleteFailed: null };
}

function action(stored: unknown, machine: Fields): unknown {
  if (!isFields(stored)) return stored;
  const { toldAt, ...kept } = stored;
  const handover =
    typeof toldAt !== "number"
      ? { state: "waiting" }
      : machine.provider === "agent"
        ? { state: "accepted", at: toldAt }
        : { state: "trying", calledOffBecause: null };
  return { ...kept, machine, handover };
}

function effect(stored: Fields, standing: Fields, machine: Fields): Fields {
  if (stored.type !== "action") return stored;
  const isHibernated = standing.status === "deleting" && isFields(standing.hibernated);
  return { ...stored, order: { ...fieldsOf(stored.order), machine, sighted: null, isHibernated } };
}

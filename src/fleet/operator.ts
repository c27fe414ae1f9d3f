import { mayBeTold } from "../alerts/channels/record.ts";
import { keepsIncidents } from "../alerts/channels/settings.ts";
import { composeNotice } from "../alerts/notice.ts";
import type { OperatorWord } from "../lifecycle/model/instance-event.ts";
import type { Fleet } from "./fleet.ts";
import { readerOf } from "./rules/addressee.ts";
import { withDue } from "./rules/state.ts";
import { type FleetInspection, inspectFleet } from "./views/inspection.ts";

/** What the operator asks of a fleet. Whatever changes something is an event of its user, which says so. */
export type OperatorRequest =
  | { readonly type: "inspect" }
  /** Tells a digest again: by one channel, or by all that want it. */
  | {
      readonly type: "deliver";
      readonly digestId: string;
      readonly channelId: string | null;
      readonly word: OperatorWord;
    }
  /** Something was done that the fleet only notes. */
  | { readonly type: "note"; readonly message: string; readonly act: string; readonly word: OperatorWord };

export type OperatorAnswer =
  | { readonly type: "inspected"; readonly inspection: FleetInspection }
  /** How many messages are on their way. None: there is no such digest, or no such channel. */
  | { readonly type: "delivering"; readonly messages: number }
  | { readonly type: "noted" };

/** `changed`: to be told of a change, so that the alarm and open pages follow. */
export async function operate(
  request: OperatorRequest,
  fleet: Fleet,
  storage: DurableObjectStorage,
  changed: (fleet: Fleet) => void,
): Promise<OperatorAnswer> {
  const answer = await carryOut(request, fleet, storage);
  changed(fleet);
  return answer;
}

async function carryOut(
  request: OperatorRequest,
  fleet: Fleet,
  storage: DurableObjectStorage,
): Promise<OperatorAnswer> {
  switch (request.type) {
    case "inspect":
      return { type: "inspected", inspection: await inspectFleet(fleet, storage) };
    case "deliver": {
      const { digestId, channelId, word } = request;
      const messages = deliverDigestAgain(fleet, digestId, channelId, Date.now());
      const told = `${messages} ${messages === 1 ? "message" : "messages"} of the digest ${digestId}`;
      if (messages > 0) note(fleet, `${told} sent again`, "deliver_again", word, { digest_id: digestId });
      return { type: "delivering", messages };
    }
    case "note":
      note(fleet, request.message, request.act, request.word);
      return { type: "noted" };
  }
}

/**
 * Queues the messages of a digest once more, in view of the channels as they are now, or makes those due that still wait. A
 * receiver knows by the digest's id, which stays the same, what it has got before. Returns how many messages these are.
 */
function deliverDigestAgain(fleet: Fleet, digestId: string, channelId: string | null, now: number): number {
  return fleet.change((state) => {
    const alerts = fleet.events.alertsOf(digestId);
    const reader = readerOf(state.addressee);
    const channels = fleet.channels
      .list()
      .filter((channel) => mayBeTold(channel) && (channelId === null || channel.id === channelId));
    const messages = channels.filter(({ id, kind, minimumSeverity }) => {
      if (fleet.deliveries.hasten(digestId, id, now)) return true;
      const notice =
        alerts.length === 0 ? null : composeNotice(alerts, minimumSeverity, keepsIncidents(kind), reader);
      // An id of its own: a workflow may have gone on with the first one, and does not begin twice.
      const delivery = `${digestId}-${id.slice(0, 28)}-${now.toString(36)}`;
      if (notice !== null) fleet.deliveries.add({ id: delivery, channelId: id, digestId, notice }, now);
      return notice !== null;
    }).length;
    return { state: messages === 0 ? state : withDue(state, { deliveriesAt: now }), result: messages };
  });
}

function note(
  fleet: Fleet,
  what: string,
  act: string,
  { operator, because, requestId }: OperatorWord,
  more: Readonly<Record<string, string>> = {},
): void {
  const now = Date.now();
  fleet.addOwnEvent(
    {
      id: `operator-${crypto.randomUUID().slice(0, 8)}`,
      at: now,
      kind: "operator_acted",
      severity: "info",
      message: `${what} by ${operator}: ${because}`,
      detail: { act, by: operator, because, request_id: requestId, ...more },
    },
    now,
  );
}

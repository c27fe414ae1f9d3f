import { sha256Hex } from "../../accounts/digest.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { post } from "../../outbound/call.ts";
import type { Notice, NoticeGroup, NoticeLine } from "../notice.ts";
import { endsOf, problemOf } from "../problems.ts";
import { type Channel, type Delivery, delivered, deliveryOf, type Links, unreachable } from "./channel.ts";
import { alertsUrl, clip, instanceUrl, type Labels, labelsOf } from "./items.ts";

/**
 * A service of PagerDuty: each problem of an instance is an incident, which its end resolves.
 * https://developer.pagerduty.com/docs/events-api-v2-overview; a summary holds 1,024 characters.
 */
export function pagerduty(
  settings: { readonly routing_key: string; readonly region: Region },
  /** Whose incidents they are: two fleets may tell one service. */
  scope: string,
  allowLoopback: boolean,
  api = HOSTS[settings.region],
): Channel {
  const tell = async (event: Event): Promise<Delivery> => {
    const { key, ...rest } = event;
    // The same problem told again joins its incident, so a message may be sent again from its beginning.
    const dedup_key = `dumont-${(await sha256Hex(`${scope}/${key}`)).slice(0, 40)}`;
    const body = JSON.stringify({ routing_key: settings.routing_key, dedup_key, ...rest });
    return deliveryOf(await post(`${api}/v2/enqueue`, body, {}, allowLoopback));
  };
  return {
    send: async (notice, links, messageId) => {
      const events = eventsOf(notice, links, messageId);
      try {
        let refused: Delivery | null = null;
        // One after the other: of a test the end must not come first. One that is refused for good keeps no other from being told.
        for (const event of events) {
          const told = await tell(event);
          if (told.mayPass) return told;
          if (!told.delivered) refused ??= told;
        }
        if (refused !== null) return refused;
        return delivered(
          events.length === 0 ? "nothing that opens or resolves an incident" : sayEvents(events),
        );
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

export const PAGERDUTY_KEY = /^[A-Za-z0-9]{32}$/;

export const REGIONS = ["us", "eu"] as const;

type Region = (typeof REGIONS)[number];

const HOSTS: Record<Region, string> = {
  us: "https://events.pagerduty.com",
  eu: "https://events.eu.pagerduty.com",
};

interface Event {
  /** Names the incident. */
  readonly key: string;
  readonly event_action: "trigger" | "resolve";
  readonly [field: string]: unknown;
}

/** All of a message have to be told before its try is over. */
const EVENTS_AT_MOST = 50;
const SUMMARY_LENGTH = 1024;

/** Of each incident the last word counts: one that begins and ends within a message is over. */
function eventsOf(notice: Notice, links: Links, messageId: string): Event[] {
  const lines = notice.groups
    .flatMap((group) => group.lines.map((line) => ({ group, line })))
    .sort((a, b) => a.line.at - b.line.at);
  const told = lines.flatMap(({ group, line }) => eventsOfLine(group, line, links, labelsOf(notice)));
  const tests = notice.groups.filter((group) => group.lines.length === 0);
  const last = [...new Map(told.map((event) => [event.key, event])).values()];
  return [...tests.flatMap((group) => testOf(group, messageId)), ...last].slice(0, EVENTS_AT_MOST);
}

function eventsOfLine(group: NoticeGroup, line: NoticeLine, links: Links, labels: Labels): Event[] {
  const { instanceId, eventId } = line;
  const resolves = endsOf(group.kind).map(
    (problem): Event => ({ key: `${instanceId}/${problem}`, event_action: "resolve" }),
  );
  const problem = problemOf(group.kind);
  if (problem === null) return resolves;
  const key = `${instanceId}/${problem === "incident" ? eventId : problem}`;
  return [...resolves, { key, event_action: "trigger", ...triggerOf(group, line, links, labels) }];
}

function triggerOf({ kind, severity }: NoticeGroup, line: NoticeLine, links: Links, labels: Labels) {
  const { instanceId, name, message, moneyText, at, eventId } = line;
  const keepAlive = links.keepAlive.get(eventId);
  const url = instanceId === "" ? alertsUrl(links) : instanceUrl(links, instanceId);
  const said = instanceId === "" ? message : `${name}: ${message}`;
  return {
    client: "Dumont Agent System",
    client_url: url,
    links: [
      { href: url, text: instanceId === "" ? labels.alerts : clip(name, 100) },
      ...(keepAlive === undefined ? [] : [{ href: keepAlive, text: labels.keepAlive }]),
    ],
    payload: {
      summary: clip(moneyText === undefined ? said : `${said} ${moneyText}`, SUMMARY_LENGTH),
      source: instanceId === "" ? "fleet" : instanceId,
      severity,
      timestamp: toIso(at),
      class: kind,
      custom_details: {
        message: clip(message, 4000),
        ...(moneyText === undefined ? {} : { money: moneyText }),
      },
    },
  };
}

/** A test opens an incident, so that somebody sees it, and leaves none behind. */
function testOf({ heading }: NoticeGroup, messageId: string): Event[] {
  const payload = { summary: clip(heading, SUMMARY_LENGTH), source: "test", severity: "info" };
  return [
    { key: messageId, event_action: "trigger", payload },
    { key: messageId, event_action: "resolve" },
  ];
}

function sayEvents(events: readonly Event[]): string {
  const opened = events.filter(({ event_action }) => event_action === "trigger").length;
  return `202: ${opened} opened or updated, ${events.length - opened} resolved`;
}

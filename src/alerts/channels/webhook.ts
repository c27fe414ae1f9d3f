import { toIso } from "../../lifecycle/model/time.ts";
import { postSigned } from "../../outbound/call.ts";
import type { Notice } from "../notice.ts";
import { type Channel, deliveryOf, type Links, unreachable } from "./channel.ts";
import { instanceUrl } from "./items.ts";

/** Any receiver, signed by Standard Webhooks: one message of type `alert`. */
export function webhook(
  settings: { readonly url: string; readonly secret: string },
  allowLoopback: boolean,
): Channel {
  return {
    send: async (notice, links, messageId) => {
      const body = JSON.stringify({
        type: "alert",
        timestamp: new Date().toISOString(),
        data: dataOf(notice, links),
      });
      try {
        return deliveryOf(await postSigned(settings, messageId, body, allowLoopback));
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

function dataOf(notice: Notice, links: Links) {
  return {
    title: notice.title,
    severity: notice.severity,
    groups: notice.groups.map((group) => ({
      kind: group.kind,
      severity: group.severity,
      heading: group.heading,
      alerts: group.lines.map((line) => ({
        event_id: line.eventId,
        instance_id: line.instanceId === "" ? null : line.instanceId,
        name: line.name,
        message: line.message,
        money: line.money ?? null,
        money_text: line.moneyText ?? null,
        at: toIso(line.at),
        url: line.instanceId === "" ? null : instanceUrl(links, line.instanceId),
        keep_alive_url: links.keepAlive.get(line.eventId) ?? null,
      })),
      more: group.more,
      money: group.money ?? null,
    })),
    ...(notice.language === undefined ? {} : { language: notice.language }),
    ...(notice.report === undefined ? {} : { report: notice.report }),
  };
}

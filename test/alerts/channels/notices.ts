import type { Links } from "../../../src/alerts/channels/channel.ts";
import { composeNotice, type Notice } from "../../../src/alerts/notice.ts";
import { alert, START } from "../alert.ts";

/** Notices as channels get them. */

const ORIGIN = "https://dumont.example";

/** One machine that idles: with what it costs, and a link that keeps it alive. */
export const ONE = noticeOf([
  alert("idle", 1, {
    message: "GPU <5% for 3 minutes. Hibernating in 2 minutes",
    detail: { rate: 0.4, would_save_hourly: 0.39, step_at: "2025-12-19T01:00:00Z" },
  }),
]);

export const CRITICAL = noticeOf([
  alert("hibernate_failed", 1, { severity: "critical", message: "It could not be hibernated" }),
]);

/** Text that would be markup, a mention or a link if nobody took care. */
export const HOSTILE_TEXT = '@everyone <@1> [x](https://evil.example) `**_~~||\\" <b>&amp; \u{1F525}';

export const HOSTILE = noticeOf([alert("orphaned", 1, { name: HOSTILE_TEXT, message: HOSTILE_TEXT })]);

/** As much as a notice may hold, and every text long. */
export const ENORMOUS = noticeOf(
  (
    ["orphaned", "idle", "hibernate_failed", "wake_failed", "gone", "reclaimed", "found_running"] as const
  ).flatMap((kind, of) =>
    Array.from({ length: 40 }, (_, index) =>
      alert(kind, of * 100 + index, {
        name: `\u{1F525}&${"n".repeat(190)}`,
        message: `<${"m\u{1F525}".repeat(900)}`,
        detail: { rate: 1, step_at: "2025-12-19T01:00:00Z" },
      }),
    ),
  ),
);

export function linksOf(notice: Notice): Links {
  const lines = notice.groups.flatMap((group) => group.lines);
  const kept = lines.filter(({ keepAlive }) => keepAlive !== null);
  return {
    origin: ORIGIN,
    keepAlive: new Map(kept.map(({ eventId }) => [eventId, keepAliveUrl(eventId)])),
  };
}

/** About as long as a real one. */
export function keepAliveUrl(eventId: string): string {
  return `${ORIGIN}/keep-alive/${eventId}.${"x".repeat(300)}`;
}

export const INSTANCE_URL = `${ORIGIN}/#/instances/rig-1`;

export const MESSAGE_ID = `${"u".repeat(38)}-${START}-c-7a0c5b43-6d9b-4f6c-9a51-2f6f3f1f2b10`;

function noticeOf(alerts: Parameters<typeof composeNotice>[0]): Notice {
  const notice = composeNotice(alerts, "info");
  if (notice === null) throw new Error("there is something to tell");
  return notice;
}

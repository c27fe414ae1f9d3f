import type { Notice } from "../notice.ts";

/** Controls, ends of lines, and what turns the writing round: the name of a machine must not look like a line of its own. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu;

/** The notice with each of its texts in one line of plain text, whoever has chosen its words. */
export function inPlainText(notice: Notice): Notice {
  return {
    ...notice,
    title: plain(notice.title),
    groups: notice.groups.map((group) => ({
      ...group,
      heading: plain(group.heading),
      lines: group.lines.map((line) => ({ ...line, name: plain(line.name), message: plain(line.message) })),
    })),
  };
}

function plain(text: string): string {
  return text.replaceAll(UNSEEN, " ");
}

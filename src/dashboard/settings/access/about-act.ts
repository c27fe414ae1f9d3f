import { frameWords } from "../../frame/words.ts";
import { spelledOut } from "../../words/spelled-out.ts";
import { LANGUAGES, words } from "../../words.ts";
import type { Act } from "./answers.ts";
import { accessWords } from "./words.ts";

/** What an act was done to, and what is kept of how, in words. */
export function aboutAct(subject: string | null, detail: Act["detail"]): string {
  const parts = Object.entries(detail).flatMap(([key, value]) => {
    const said = value === null || typeof value === "boolean" ? null : sayPart(key, value);
    return said === null ? [] : [said];
  });
  // An id says nothing to anybody where the name is known.
  return [...(typeof detail.name === "string" || subject === null ? [] : [subject]), ...parts].join(" · ");
}

/** Null: it is said elsewhere. What another release has kept is spelled out. */
function sayPart(key: string, value: string | number): string | null {
  const { role, timeZone, expires } = accessWords.value.detail;
  const known = (names: object) => new Map<string, unknown>(Object.entries(names)).get(String(value));
  switch (key) {
    case "name":
    case "provider":
      return String(value);
    case "role":
      return role(String(known(frameWords.value.roles) ?? value));
    case "kind":
      return words.value.channelKind(String(value));
    case "language":
      return String(known(LANGUAGES) ?? value);
    case "time_zone":
      return timeZone(String(value).replaceAll("_", " "));
    case "expires_in_days":
      return expires(Number(value));
    default:
      return `${spelledOut(key)}: ${value}`;
  }
}

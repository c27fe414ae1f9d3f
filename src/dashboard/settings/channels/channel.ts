import { CHANNEL_FIELDS, type ChannelKind } from "../channel-fields.ts";

/** A channel, as the API says it. */

export const SEVERITIES = ["info", "warning", "critical"] as const;

export type Severity = (typeof SEVERITIES)[number];

export interface Channel {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly minimum_severity: Severity;
  readonly confirmed: boolean;
  readonly paused: { readonly at: string; readonly because: "asked" | "gone" } | null;
  readonly last_delivery: {
    readonly at: string;
    readonly delivered: boolean;
    readonly detail: string;
  } | null;
}

/** What is typed for a kind, as the API takes it; null where nothing is typed. */
export function settingsOf(kind: ChannelKind, typed: Readonly<Record<string, string>>): object | null {
  const given = CHANNEL_FIELDS[kind].flatMap((field) => {
    const text = typed[field]?.trim() ?? "";
    return text === "" ? [] : [[field, text] as const];
  });
  return given.length === 0 ? null : { kind, ...Object.fromEntries(given) };
}

/** What each kind of channel must be told: every kind that the API takes, as `test/api/channels.test.ts` holds. */
export const CHANNEL_FIELDS = {
  slack: ["url"],
  email: ["to"],
  webhook: ["url", "secret"],
  discord: ["url"],
  teams: ["url"],
  telegram: ["token", "chat_id"],
  ntfy: ["server", "topic", "token"],
  pagerduty: ["routing_key", "region"],
} as const satisfies Record<string, readonly string[]>;

export type ChannelKind = keyof typeof CHANNEL_FIELDS;

export const CHANNEL_KINDS = Object.keys(CHANNEL_FIELDS).filter((kind) => isChannelKind(kind));

export function isChannelKind(text: string): text is ChannelKind {
  return Object.hasOwn(CHANNEL_FIELDS, text);
}

/** Fields that must not be seen over a shoulder. */
export const SECRET_FIELDS: readonly string[] = ["secret", "token", "routing_key"];

/** Fields that may be left out. */
export const OPTIONAL_FIELDS: Readonly<Partial<Record<ChannelKind, readonly string[]>>> = {
  ntfy: ["server", "token"],
  pagerduty: ["region"],
};

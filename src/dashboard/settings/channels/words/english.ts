import type { ChannelKind } from "../../channel-fields.ts";

/** What is said of channels, by which an owner is told. */

const help: Record<ChannelKind, string> = {
  slack:
    "In Slack: your app, Incoming Webhooks, Add New Webhook. Paste the address that begins with https://hooks.slack.com/.",
  email: "A message with a link goes there first. Nothing else is sent until that link is opened.",
  webhook: "Any https address of yours. Messages are signed by Standard Webhooks with the secret.",
  discord: "In Discord: the channel's settings, Integrations, Webhooks, New webhook, Copy webhook URL.",
  teams:
    "In Teams: the channel's menu, Workflows, “Send webhook alerts to a channel”. Copy the whole address: it is the secret.",
  telegram:
    "Ask @BotFather for a bot and its token. Add the bot to the chat; @userinfobot, or getUpdates of your bot, tells the chat's number.",
  ntfy: "Choose a topic that nobody guesses, and subscribe to it in the app. Leave the server empty for ntfy.sh; a token is needed only where the topic is protected.",
  pagerduty:
    "In PagerDuty: the service, Integrations, Events API v2. Copy the integration key. Each trouble is one incident, which its end resolves.",
};

const fields: Readonly<Record<string, string>> = {
  url: "URL",
  to: "Address",
  secret: "Signing secret (whsec_…)",
  token: "Token",
  chat_id: "Chat",
  server: "Server",
  topic: "Topic",
  routing_key: "Integration key",
  region: "Region (us or eu)",
};

export const englishChannels = {
  help: (kind: ChannelKind) => help[kind],
  field: (field: string) => fields[field] ?? field,
  optional: "optional",
  edit: "Edit",
  save: "Save",
  cancel: "Cancel",
  pause: "Pause",
  resume: "Resume",
  paused: {
    asked: "Paused: nothing is told here.",
    gone: "Paused: the other side says that this is gone. Enter a new address to take it up again.",
  },
  keepSettings: "Leave the fields below empty to keep what is set: it is never shown again.",
  fixedAddress: "The address stays: add a channel for another one.",
};

export type ChannelWords = typeof englishChannels;

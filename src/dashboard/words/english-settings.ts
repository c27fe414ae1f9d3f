import { spelledOut } from "./spelled-out.ts";

/** What is said on the page of settings: of channels, connections and enrollment tokens. */

/** Those that are not called as they are spelled. */
const channelKind: Record<string, string> = {
  email: "E-mail",
  teams: "Microsoft Teams",
  ntfy: "ntfy",
  pagerduty: "PagerDuty",
};

const credentialField: Record<string, string> = {
  api_key: "API key",
  url: "URL",
  secret: "Signing secret (whsec_…)",
  access_key_id: "Access key id",
  secret_access_key: "Secret access key",
};

export const englishSettings = {
  channels: "Where you are told",
  channelsHint: "Alerts go to each channel from its severity on.",
  unconfirmed: "Not confirmed: no alert goes there until the link in the message sent to it is opened.",
  sendConfirmation: "Send the link again",
  noChannels: "No channel yet: nobody is told of anything.",
  severity: { info: "everything", warning: "warnings and worse", critical: "critical only" },
  severityLabel: "From",
  kind: "Kind",
  channelKind: (kind: string) => channelKind[kind] ?? spelledOut(kind),
  addChannel: "Add channel",
  test: "Test",
  delivered: (detail: string) => `Delivered: ${detail}`,
  notDelivered: (detail: string) => `Not delivered: ${detail}`,
  lastDelivery: "Last",
  neverUsed: "never used",
  delete: "Delete",
  deleteChannelQuestion: (name: string) => `Delete the channel ${name}?`,
  deleteChannelStakes: "Nobody is told by it any more.",
  connectionChecked: (when: string) => `checked ${when}`,
  neverChecked: "never checked",
  connectionWorks: (name: string) => `The key of ${name} works.`,
  check: "Check",
  rename: "Rename",
  credentialField: (field: string) => credentialField[field] ?? spelledOut(field),
  deleteConnectionQuestion: (name: string) => `Delete the connection ${name}?`,
  deleteConnectionStakes: "Its key is forgotten. No machine is touched.",
  enrollments: "Enrollment tokens",
  enrollmentsHint:
    "For images and launch templates: a machine that has one registers itself at EC2, Google, Azure, RunPod and Vast.ai.",
  noEnrollments: "No token: each machine is registered by hand.",
  enrollmentState: {
    active: (until: string) => `until ${until}`,
    used_up: (_: string) => "used up",
    expired: (since: string) => `expired on ${since}`,
  },
  usesLeft: (left: number, uses: number) => `${left} of ${uses} ${uses === 1 ? "machine" : "machines"} left`,
  usesLabel: "Machines",
  daysLabel: "Days",
  makeEnrollment: "Make a token",
  enrollWithThis: "This registers the machine on which it runs, and starts the agent",
  revoke: "Revoke",
  revokeQuestion: (name: string) => `Revoke the enrollment token ${name}?`,
  revokeStakes: "No further machine is registered with it. Those that were stay.",
  defaultPolicy: "Policy of all instances",
};

export type SettingsWords = typeof englishSettings;

import { z } from "zod";
import type { ConfirmationSent } from "../../alerts/channels/confirmation.ts";
import type { ChannelRecord } from "../../alerts/channels/record.ts";
import { channelKindSchema } from "../../alerts/channels/settings.ts";
import { component } from "../../http/openapi.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { toIso } from "../../lifecycle/model/time.ts";

/** A channel, as the API shows it. */

export const channelSchema = component(
  "Channel",
  z.object({
    id: z.string(),
    kind: channelKindSchema,
    name: z.string(),
    minimum_severity: severitySchema,
    created_at: z.string(),
    confirmed: z
      .boolean()
      .describe(
        "Whether alerts go there: an e-mail address must be confirmed by the link that was sent to it",
      ),
    paused: z
      .object({ at: z.string(), because: z.enum(["asked", "gone"]) })
      .nullable()
      .describe(
        "Since when it is told of nothing; `gone`: the other side said that there is no such channel any more",
      ),
    last_delivery: z
      .object({
        at: z.string(),
        delivered: z.boolean(),
        detail: z.string().describe("What the other side said"),
      })
      .nullable(),
  }),
);

export const channelExample: z.infer<typeof channelSchema> = {
  id: "c-7a0c5b43-6d9b-4f6c-9a51-2f6f3f1f2b10",
  kind: "slack",
  name: "#gpus",
  minimum_severity: "warning",
  created_at: "2025-12-18T12:00:00Z",
  confirmed: true,
  paused: null,
  last_delivery: { at: "2025-12-19T02:20:30Z", delivered: true, detail: "200 ok" },
};

export const channelParams = z.object({ id: z.string().max(64) });

export function channelView(channel: ChannelRecord): z.infer<typeof channelSchema> {
  const { lastDelivery } = channel;
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    minimum_severity: channel.minimumSeverity,
    created_at: toIso(channel.createdAt),
    confirmed: channel.confirmed,
    paused: channel.paused ? { at: toIso(channel.paused.at), because: channel.paused.because } : null,
    last_delivery: lastDelivery && {
      at: toIso(lastDelivery.at),
      delivered: lastDelivery.delivered,
      detail: lastDelivery.detail,
    },
  };
}

export function whyNotAsked({ outcome }: Exclude<ConfirmationSent, { outcome: "tried" }>): string {
  switch (outcome) {
    case "unknown":
      return "The channel is not there any more";
    case "confirmed":
      return "The address is confirmed already";
    case "too_many":
      return "Too many links to confirm an address were sent: wait, and have it sent again";
  }
}

export const channelTestSchema = component(
  "ChannelTest",
  z.object({ delivered: z.boolean(), detail: z.string().describe("What the other side said") }),
);

import { z } from "zod";
import type { ListedAlert } from "../../fleet/views/alerts.ts";
import { component } from "../../http/openapi.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { moneyIn } from "../../lifecycle/model/money.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import { wordMoney } from "../../lifecycle/model/words/word-money.ts";
import { eventView } from "../../lifecycle/views/event-view.ts";

/** An alert, and a snooze, as the API shows them. */

const acknowledgedSchema = z.object({
  at: z.string(),
  by: z.string().describe("The name of a person or a token"),
});

export const alertSchema = component(
  "Alert",
  z.object({
    id: z.string(),
    event_id: z.string(),
    at: z.string(),
    instance_id: z.string().nullable().describe("Null for what concerns no single instance"),
    name: z.string().nullable().describe("Of the instance; null where there is none any more"),
    kind: z.string(),
    severity: severitySchema,
    message: z.string(),
    money_text: z
      .string()
      .nullable()
      .describe("What its machine costs, in the language of the answer; null where nothing is known"),
    detail: z.record(z.string(), z.unknown()).describe("As its event has it"),
    status: z
      .enum(["open", "acknowledged", "over"])
      .describe(
        "`over`: an event has said that it is so no more, or a further step stands for it, or it told news only",
      ),
    open_since: z.string().nullable().describe("Since when what it tells of is so; null when it is over"),
    acknowledged: acknowledgedSchema.nullable(),
  }),
);

export const alertExample: z.infer<typeof alertSchema> = {
  id: "4711",
  event_id: "mb5k2x1c",
  at: "2025-12-19T02:20:00Z",
  instance_id: "98765432",
  name: "Render Farm",
  kind: "orphaned",
  severity: "warning",
  message: "Instance Render Farm may be stuck: no heartbeat for 5 minutes",
  money_text: "It costs $0.40 an hour and would save $0.39 an hour if it were hibernated.",
  detail: { rule: "orphan.orphan_after_seconds", last_heartbeat: "2025-12-19T02:15:00Z", rate: 0.4 },
  status: "open",
  open_since: "2025-12-19T02:20:00Z",
  acknowledged: null,
};

export const snoozeSchema = component(
  "Snooze",
  z.object({
    instance_id: z.string(),
    until: z.string(),
    at: z.string(),
    by: z.string().describe("The name of a person or a token"),
  }),
);

export const snoozeExample: z.infer<typeof snoozeSchema> = {
  instance_id: "98765432",
  until: "2025-12-20T02:30:00Z",
  at: "2025-12-19T02:30:00Z",
  by: "Ada",
};

/** It, worded for this reader. */
export function alertView(alert: ListedAlert, reader: Reader): z.infer<typeof alertSchema> {
  const { number, name, status, openedAt, acknowledged } = alert;
  const { id, detail, ...event } = eventView(alert, reader);
  return {
    id: String(number),
    event_id: id,
    name,
    ...event,
    money_text: wordMoney(reader.language, event.kind, moneyIn(event.kind, detail)),
    detail: { ...detail },
    status,
    open_since: openedAt === null ? null : toIso(openedAt),
    acknowledged: acknowledged && { at: toIso(acknowledged.at), by: acknowledged.by },
  };
}

export function snoozeView(snooze: {
  readonly instanceId: string;
  readonly until: number;
  readonly at: number;
  readonly by: string;
}): z.infer<typeof snoozeSchema> {
  const { instanceId, until, at, by } = snooze;
  return { instance_id: instanceId, until: toIso(until), at: toIso(at), by };
}

import type { Severity } from "../model/history-event.ts";
import { toIso } from "../model/time.ts";

/** An event as it is shown, wherever it is kept. The field names are those of the HTTP API. */
export interface EventView {
  readonly id: string;
  readonly at: string;
  /** Null for what concerns no single instance. */
  readonly instance_id: string | null;
  readonly kind: string;
  readonly severity: Severity;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface ShownEvent extends Omit<EventView, "at" | "instance_id"> {
  readonly at: number;
  readonly instanceId: string | null;
}

export function eventView({ id, at, instanceId, kind, severity, message, detail }: ShownEvent): EventView {
  return { id, at: toIso(at), instance_id: instanceId, kind, severity, message, detail };
}

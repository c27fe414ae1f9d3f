import type { Severity } from "../model/history-event.ts";
import { toIso } from "../model/time.ts";
import type { Language, Phrase, Reader } from "../model/words/said.ts";
import { wordMessage } from "../model/words/say.ts";

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
  readonly said?: Phrase | undefined;
}

/** It, worded in this language, or for this reader. */
export function eventView(
  { id, at, instanceId, kind, severity, message, said, detail }: ShownEvent,
  to: Language | Reader = "en",
): EventView {
  return {
    id,
    at: toIso(at),
    instance_id: instanceId,
    kind,
    severity,
    message: wordMessage(to, message, said),
    detail,
  };
}

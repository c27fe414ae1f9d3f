import type { EventView } from "../../lifecycle/views/event-view.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";

/** What a live connection carries, as JSON. The field names are those of the HTTP API. */

/** An instance as it was when it last reported to its fleet, which a steady heartbeat does not do. */
export interface SummaryView extends ShownView {
  readonly as_of: string;
}

/** The user's outage guard, and the service's. */
export interface GuardView {
  readonly state: "open" | "closed";
  readonly closed_at: string | null;
  readonly opened_at: string | null;
  readonly service_wide: "open" | "closed";
}

/** What the service sends. */
export type LiveMessage =
  | {
      /** A page of the whole fleet. Changes since `revision` follow after the last page. */
      readonly type: "snapshot";
      readonly server_time: string;
      readonly revision: number;
      readonly rows: readonly SummaryView[];
      readonly is_last: boolean;
      readonly guard: GuardView;
      readonly takes_sight?: boolean;
    }
  | {
      /** `removed` are taken out before `rows` are put in. A connection that is lost later resumes at `revision`. */
      readonly type: "rows";
      readonly server_time: string;
      readonly revision: number;
      readonly rows: readonly SummaryView[];
      readonly removed: readonly string[];
      readonly guard: GuardView;
      /** Whether the client may say what it sees. A fleet of the former release would end the connection. */
      readonly takes_sight?: boolean;
    }
  /** Oldest first. The `rows` that follow say up to which revision all is told: until then, these may come again. */
  | { readonly type: "events"; readonly events: readonly EventView[] }
  /** Instances that the client sees, as they are now: upon its word, and then at each of their heartbeats. */
  | { readonly type: "readings"; readonly server_time: string; readonly rows: readonly SummaryView[] }
  /** Nothing more is sent until the client answers `{"type":"confirmed"}`. */
  | { readonly type: "confirm" };

/** What a client may send. */
export type ClientMessage =
  | { readonly type: "confirmed" }
  /** What it sees, at most a hundred; said again at least every two minutes for as long as it looks. */
  | { readonly type: "sight"; readonly instance_ids: readonly string[] };

/** Why the service closes a connection. */
export const CLOSE_CODES = {
  /** The user has opened too many others. */
  replaced: 4001,
  /** The token is no longer valid. */
  revoked: 4003,
  /** The client did not confirm in time what it had been sent. */
  tooSlow: 4008,
  /** The client sent something else than what it may send. */
  notUnderstood: 1008,
  /** Whether the token is still valid can't be known now. */
  tryAgain: 1013,
} as const;

/** The subprotocol of the messages. The token is offered beside it, as `bearer.<token>`, and never accepted. */
export const LIVE_PROTOCOL = "dumont";

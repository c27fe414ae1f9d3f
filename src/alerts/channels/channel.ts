import type { Notice } from "../notice.ts";

/** One way to tell an owner. */
export interface Channel {
  /** Sends one message. `messageId` stays the same when it is sent again. Never throws. */
  send(notice: Notice, links: Links, messageId: string): Promise<Delivery>;
}

/** Where the links of a message lead. */
export interface Links {
  /** The link that keeps the instance of a notice's line alive, by the line's event. */
  readonly keepAlive: ReadonlyMap<string, string>;
  /** Where the service is reached. */
  readonly origin: string;
}

export interface Delivery {
  readonly delivered: boolean;
  /** What the other side said. */
  readonly detail: string;
  /** Whether the same message may be taken later. */
  readonly mayPass: boolean;
  readonly retryAfterSeconds: number | null;
  /** There is no such channel any more: nothing may be sent there again, before its owner has seen to it. */
  readonly isGone?: boolean;
}

export function delivered(detail: string): Delivery {
  return { delivered: true, detail, mayPass: false, retryAfterSeconds: null };
}

/** It was not tried, and never will be. */
export function undeliverable(detail: string): Delivery {
  return { delivered: false, detail, mayPass: false, retryAfterSeconds: null };
}

/** By an HTTP status: what the other side can't do now it may do later; what it refuses it will refuse again. */
export function deliveryOf(answer: {
  readonly status: number;
  readonly body: string;
  readonly retryAfterSeconds: number | null;
}): Delivery {
  const { status, body, retryAfterSeconds } = answer;
  const detail = `${status} ${body}`.trim();
  if (status >= 200 && status < 300) return delivered(detail);
  const redirect = status >= 300 && status < 400;
  return {
    delivered: false,
    detail: redirect ? `${status}: a redirect, which is not followed` : detail,
    mayPass: status === 429 || status === 408 || status >= 500,
    retryAfterSeconds,
  };
}

export function unreachable(error: unknown): Delivery {
  return {
    delivered: false,
    detail: error instanceof Error ? error.message : String(error),
    mayPass: true,
    retryAfterSeconds: null,
  };
}

/** What the other side said, with nothing in it that is secret, and then cut: it is shown, and kept. */
export function withoutSecrets(delivery: Delivery, secrets: readonly string[]): Delivery {
  const telling = secrets.filter((secret) => secret.length > 3).sort((a, b) => b.length - a.length);
  const detail = telling.reduce((text, secret) => text.replaceAll(secret, "…"), delivery.detail);
  return { ...delivery, detail: short(detail) };
}

function short(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)} ...` : text;
}

import { z } from "zod";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { LANGUAGES } from "../../lifecycle/model/words/said.ts";
import type { LiveMessage } from "./messages.ts";

/** A live connection, as it is known to the object that may leave memory while it stands: by its attachment. */

/**
 * After so many characters the client is asked to confirm, and gets nothing more before it has: the platform neither
 * bounds what it buffers for a client that does not read, nor tells how much that is.
 */
const CHARACTERS_UNCONFIRMED = 1024 * 1024;

/** Then it is given up. */
export const CONFIRM_WITHIN_MS = 30 * SECOND_MS;

/** A token is looked up again when something is sent this long after the last time. */
const TOKEN_CHECKED_EVERY_MS = 10 * MINUTE_MS;

export const languageSchema = z.enum(LANGUAGES).catch("en");

const connectionSchema = z.object({
  /** The token, or the person, that it stems from. */
  tokenId: z.string(),
  /** Of a browser that is signed in. The release before knows none. */
  sessionId: z.string().nullable().default(null),
  openedAt: z.number(),
  tokenCheckedAt: z.number(),
  /** A `LivePosition`. */
  revision: z.number(),
  snapshotAfter: z.string().nullable(),
  /** One that a former release opened is told in English. */
  language: languageSchema,
  /** The same in UTC. */
  timeZone: z.string().nullable().default(null),
  guards: z.string(),
  /** Until then it is told how instances are that it sees. The release before knows nothing of it. */
  seesUntil: z.number().default(0),
  unconfirmedCharacters: z.number(),
  /** Since when a confirmation is awaited; null when none is. */
  confirmAskedAt: z.number().nullable(),
});

export type Connection = Readonly<z.infer<typeof connectionSchema>>;

/** It has been sent so much more, and is asked to confirm once that is too much. */
export function accountFor(
  socket: WebSocket,
  connection: Connection,
  texts: readonly string[],
  now: number,
): Connection {
  for (const text of texts) socket.send(text);
  const unconfirmedCharacters = texts.reduce(
    (sum, { length }) => sum + length,
    connection.unconfirmedCharacters,
  );
  const isMuch = unconfirmedCharacters >= CHARACTERS_UNCONFIRMED;
  if (isMuch) socket.send(textOf({ type: "confirm" }));
  return { ...connection, unconfirmedCharacters, confirmAskedAt: isMuch ? now : null };
}

export function textOf(message: LiveMessage): string {
  return JSON.stringify(message);
}

/** Connections of one key are looked up together. */
export function keyOf({ tokenId, sessionId }: Connection): string {
  return sessionId ?? tokenId;
}

export function isCheckDue({ tokenCheckedAt }: Connection, now: number): boolean {
  return now - tokenCheckedAt >= TOKEN_CHECKED_EVERY_MS;
}

/** Null for a socket that is being accepted, or whose attachment this version cannot read. */
export function connectionOf(socket: WebSocket): Connection | null {
  return connectionSchema.safeParse(socket.deserializeAttachment()).data ?? null;
}

import { z } from "zod";
import { isAtLeast } from "../../accounts/roles.ts";
import { noteSessionUse, sessionOfId } from "../../accounts/sessions.ts";
import { tokenStanding } from "../../accounts/user-tokens.ts";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { LANGUAGES, type Reader } from "../../lifecycle/model/words/said.ts";
import { logError, logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { type Batch, batchFor, startingPosition, textOf, versionOf } from "./live-batch.ts";
import { CLOSE_CODES, LIVE_PROTOCOL } from "./messages.ts";

/**
 * Live push: each open connection of a user is brought up to date whenever the fleet changes. The object may leave memory
 * with its sockets open, so whatever must be known of a connection stands in its attachment.
 */

/** Changes wait for each other this long, and then go out together. */
const PUSH_AFTER_MS = SECOND_MS / 4;

/**
 * After so many characters the client is asked to confirm, and gets nothing more before it has: the platform neither
 * bounds what it buffers for a client that does not read, nor tells how much that is.
 */
const CHARACTERS_UNCONFIRMED = 1024 * 1024;

const CONFIRM_WITHIN_MS = 30 * SECOND_MS;

/** A token is looked up again when something is sent this long after the last time. */
const TOKEN_CHECKED_EVERY_MS = 10 * MINUTE_MS;

const TOKEN_LOOKUP_LIMIT_MS = 5 * SECOND_MS;

const languageSchema = z.enum(LANGUAGES).catch("en");

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
  unconfirmedCharacters: z.number(),
  /** Since when a confirmation is awaited; null when none is. */
  confirmAskedAt: z.number().nullable(),
});

type Connection = Readonly<z.infer<typeof connectionSchema>>;

const confirmation = z.object({ type: z.literal("confirmed") });

/** Asks a fleet for a connection, of a token or session that was found valid just now. */
export function liveRequest(asked: {
  /** The id of the token or person. */
  readonly stemId: string;
  readonly sessionId: string | null;
  readonly since: number | undefined;
  readonly offersProtocol: boolean;
  readonly reader: Reader;
}): Request {
  const url = new URL("https://fleet/live");
  url.searchParams.set("token_id", asked.stemId);
  if (asked.sessionId !== null) url.searchParams.set("session_id", asked.sessionId);
  if (asked.since !== undefined) url.searchParams.set("since", String(asked.since));
  const { language, timeZone } = asked.reader;
  url.searchParams.set("language", language);
  if (timeZone !== null) url.searchParams.set("time_zone", timeZone);
  const headers = new Headers({ Upgrade: "websocket" });
  if (asked.offersProtocol) headers.set("Sec-WebSocket-Protocol", LIVE_PROTOCOL);
  return new Request(url, { headers });
}

export class LivePush {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Tokens and sessions that are being looked up, by `keyOf`. */
  readonly #lookingUp = new Set<string>();
  /** What was last sent to all; null when that is not known. */
  #pushed: string | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx;
    this.#env = env;
  }

  /** Answers a request of `liveRequest`. What the client lacks is on its way at once. */
  accept(request: Request, fleet: Fleet): Response {
    const now = Date.now();
    this.#makeRoom();
    const { 0: client, 1: socket } = new WebSocketPair();
    this.#ctx.acceptWebSocket(socket);
    // Answered by the platform, without waking the object.
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const { searchParams } = new URL(request.url);
    const since = searchParams.get("since");
    const connection: Connection = {
      tokenId: searchParams.get("token_id") ?? "",
      sessionId: searchParams.get("session_id"),
      openedAt: now,
      tokenCheckedAt: now,
      ...startingPosition(fleet, since === null ? null : Number(since)),
      language: languageSchema.parse(searchParams.get("language")),
      timeZone: searchParams.get("time_zone"),
      unconfirmedCharacters: 0,
      confirmAskedAt: null,
    };
    this.#send(socket, connection, fleet, now, new Map());
    const protocol = request.headers.get("Sec-WebSocket-Protocol");
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: protocol === null ? {} : { "Sec-WebSocket-Protocol": protocol },
    });
  }

  /**
   * Something may have changed. It is sent a moment later, because an instance is waiting for its answer right now.
   */
  changed(fleet: Fleet, userId: string): void {
    if (this.#timer !== null || this.#pushed === versionOf(fleet) || this.#sockets().length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#push(fleet, userId).catch((error) => logError("live push failed", { user_id: userId }, error));
    }, PUSH_AFTER_MS);
  }

  /** A client says that it has got what it was sent; anything else ends the connection. */
  received(socket: WebSocket, text: string | ArrayBuffer, fleet: Fleet): void {
    const connection = connectionOf(socket);
    if (connection === null) return;
    if (typeof text !== "string" || !confirmation.safeParse(parseJson(text)).success) {
      socket.close(CLOSE_CODES.notUnderstood, "send nothing but confirmations");
      return;
    }
    const confirmed = { ...connection, unconfirmedCharacters: 0, confirmAskedAt: null };
    this.#send(socket, confirmed, fleet, Date.now(), new Map());
  }

  /** A token, a person or a session may no longer watch: whichever has the id. */
  revoked(id: string): void {
    for (const socket of this.#sockets()) {
      const connection = connectionOf(socket);
      if (connection?.tokenId === id || connection?.sessionId === id) {
        socket.close(CLOSE_CODES.revoked, "token revoked");
      }
    }
  }

  /** The user is suspended. */
  closeAll(): void {
    for (const socket of this.#sockets()) socket.close(CLOSE_CODES.revoked, "suspended");
  }

  #sockets(): WebSocket[] {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }

  #makeRoom(): void {
    const byAge = this.#sockets().sort(
      (a, b) => (connectionOf(a)?.openedAt ?? 0) - (connectionOf(b)?.openedAt ?? 0),
    );
    const limit = readSettings(this.#env).CONNECTIONS_PER_USER;
    const tooMany = byAge.length - limit + 1;
    for (const socket of byAge.slice(0, Math.max(0, tooMany))) {
      socket.close(CLOSE_CODES.replaced, `more than ${limit} connections`);
    }
  }

  /** Nobody waits for a token to be looked up but those who hold it. */
  async #push(fleet: Fleet, userId: string): Promise<void> {
    const now = Date.now();
    this.#pushed = versionOf(fleet);
    const batches = new Map<string, Batch | null>();
    const due = new Map<string, Connection>();
    for (const socket of this.#sockets()) {
      const connection = connectionOf(socket);
      if (connection === null) continue;
      if (isCheckDue(connection, now)) due.set(keyOf(connection), connection);
      else this.#send(socket, connection, fleet, now, batches);
    }
    await Promise.all([...due.values()].map((connection) => this.#lookUp(connection, fleet, userId)));
  }

  /** Brings the connections of its token or session up to date once that was found valid, and closes them if it was not. */
  async #lookUp(due: Connection, fleet: Fleet, userId: string): Promise<void> {
    const key = keyOf(due);
    if (this.#lookingUp.has(key)) return;
    this.#lookingUp.add(key);
    const lookup = within(TOKEN_LOOKUP_LIMIT_MS, mayWatch(this.#env, userId, due));
    const isValid = await lookup.catch(() => null);
    this.#lookingUp.delete(key);
    const now = Date.now();
    const batches = new Map<string, Batch | null>();
    for (const socket of this.#sockets()) {
      const connection = connectionOf(socket);
      // One that was opened meanwhile has shown its token just now.
      if (connection === null || keyOf(connection) !== key || !isCheckDue(connection, now)) continue;
      if (isValid === null) socket.close(CLOSE_CODES.tryAgain, "try again");
      else if (isValid) this.#send(socket, { ...connection, tokenCheckedAt: now }, fleet, now, batches);
      else socket.close(CLOSE_CODES.revoked, "token revoked");
    }
  }

  /** Sends what the connection lacks, as far as the client has confirmed what it got before. */
  #send(
    socket: WebSocket,
    connection: Connection,
    fleet: Fleet,
    now: number,
    batches: Map<string, Batch | null>,
  ): void {
    let current = connection;
    try {
      while (current.confirmAskedAt === null) {
        const batch = batchFor(current, fleet, now, batches);
        if (batch === null) break;
        for (const message of batch.messages) socket.send(message);
        const characters = batch.messages.reduce((sum, { length }) => sum + length, 0);
        const unconfirmedCharacters = current.unconfirmedCharacters + characters;
        const isMuch = unconfirmedCharacters >= CHARACTERS_UNCONFIRMED;
        if (isMuch) socket.send(textOf({ type: "confirm" }));
        current = {
          ...current,
          ...batch.position,
          unconfirmedCharacters,
          confirmAskedAt: isMuch ? now : null,
        };
      }
      if (current.confirmAskedAt !== null && now - current.confirmAskedAt > CONFIRM_WITHIN_MS) {
        socket.close(CLOSE_CODES.tooSlow, "too slow");
        return;
      }
      socket.serializeAttachment(current);
    } catch (error) {
      // The other side is gone; it resumes with a connection of its own.
      logWarning("a live connection was lost", { user_id: this.#ctx.id.name }, error);
      socket.close(CLOSE_CODES.tryAgain, "try again");
    }
  }
}

/** Connections of one key are looked up together. */
function keyOf({ tokenId, sessionId }: Connection): string {
  return sessionId ?? tokenId;
}

/** Whether its session, or its token, still lets in somebody who may see. A page that is left open counts as in use. */
async function mayWatch(env: Env, userId: string, { tokenId, sessionId }: Connection): Promise<boolean> {
  const now = Date.now();
  if (sessionId === null) {
    const token = await tokenStanding(env.DB, userId, tokenId, now);
    return token.outcome === "valid" && isAtLeast(token.role, "viewer");
  }
  const standing = await sessionOfId(env.DB, userId, sessionId, now);
  if (standing.outcome !== "valid" || !isAtLeast(standing.session.role, "viewer")) return false;
  await noteSessionUse(env.DB, userId, sessionId, now);
  return true;
}

function isCheckDue({ tokenCheckedAt }: Connection, now: number): boolean {
  return now - tokenCheckedAt >= TOKEN_CHECKED_EVERY_MS;
}

/** Null for a socket that is being accepted, or whose attachment this version cannot read. */
function connectionOf(socket: WebSocket): Connection | null {
  return connectionSchema.safeParse(socket.deserializeAttachment()).data ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

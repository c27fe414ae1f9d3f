import { isAtLeast } from "../../accounts/roles.ts";
import { noteSessionUse, sessionOfId } from "../../accounts/sessions.ts";
import { tokenStanding } from "../../accounts/user-tokens.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import { logError, logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import type { Reading } from "../report.ts";
import {
  accountFor,
  CONFIRM_WITHIN_MS,
  type Connection,
  connectionOf,
  isCheckDue,
  keyOf,
  languageSchema,
} from "./connection.ts";
import { type Batch, batchFor, readingsText, startingPosition, versionOf } from "./live-batch.ts";
import { CLOSE_CODES, LIVE_PROTOCOL } from "./messages.ts";
import { askReadings, Sights, saidBy, seenUntil } from "./sight.ts";

/**
 * Live push: each open connection of a user is brought up to date whenever the fleet changes. The object may leave memory
 * with its sockets open, so whatever must be known of a connection stands in its attachment.
 */

/** Changes wait for each other this long, and then go out together. */
const PUSH_AFTER_MS = SECOND_MS / 4;

const TOKEN_LOOKUP_LIMIT_MS = 5 * SECOND_MS;

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
  readonly #lookingUp = new Map<string, Promise<void>>();
  readonly #sights = new Sights();
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
      seesUntil: 0,
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

  /** A client says that it has got what it was sent, or what it sees; anything else ends the connection. */
  received(socket: WebSocket, text: string | ArrayBuffer, fleet: Fleet, userId: string): void {
    const connection = connectionOf(socket);
    if (connection === null) return;
    const said = saidBy(text);
    switch (said?.type) {
      case undefined:
        socket.close(CLOSE_CODES.notUnderstood, "this is not understood");
        return;
      case "confirmed": {
        const confirmed = { ...connection, unconfirmedCharacters: 0, confirmAskedAt: null };
        this.#send(socket, confirmed, fleet, Date.now(), new Map());
        return;
      }
      case "sight":
        socket.serializeAttachment({ ...connection, seesUntil: seenUntil(said.instance_ids, Date.now()) });
        this.#sights.look(socket, said.instance_ids, async (ids) => {
          const readings = await askReadings(this.#env, userId, fleet, ids);
          await this.#tell([socket], readings, fleet, userId);
        });
        return;
    }
  }

  /** An instance that is seen has had a heartbeat. False: nobody sees any. */
  async heard(reading: Reading, fleet: Fleet, userId: string): Promise<boolean> {
    const now = Date.now();
    const seeing = this.#sockets().filter((socket) => (connectionOf(socket)?.seesUntil ?? 0) > now);
    if (seeing.length === 0) return false;
    // One that was removed meanwhile is not told of.
    const isKnown = fleet.registry.listedAmong([reading.view.instance_id]).length > 0;
    if (isKnown) await this.#tell(seeing, [reading], fleet, userId);
    return isKnown;
  }

  /** Whoever is told in the same words at the same moment shares a text. */
  async #tell(
    sockets: readonly WebSocket[],
    readings: readonly Reading[],
    fleet: Fleet,
    userId: string,
  ): Promise<void> {
    if (readings.length === 0) return;
    const texts = new Map<string, string>();
    const textFor = ({ language, timeZone }: Reader, now: number) => {
      const key = `${language} ${timeZone ?? "-"} ${now}`;
      const text = texts.get(key) ?? readingsText(readings, fleet, { language, timeZone }, now);
      texts.set(key, text);
      return text;
    };
    await Promise.all(sockets.map((socket) => this.#tellOne(socket, textFor, fleet, userId)));
  }

  /** One that is behind with confirming is told at its next look. */
  async #tellOne(
    socket: WebSocket,
    textFor: (reader: Reader, now: number) => string,
    fleet: Fleet,
    userId: string,
  ): Promise<void> {
    const due = connectionOf(socket);
    if (due !== null && isCheckDue(due, Date.now())) await this.#lookUp(due, fleet, userId);
    if (socket.readyState !== WebSocket.OPEN) return;
    const now = Date.now();
    const connection = connectionOf(socket);
    if (connection === null || isCheckDue(connection, now) || connection.confirmAskedAt !== null) return;
    this.#unlessLost(socket, () => {
      socket.serializeAttachment(accountFor(socket, connection, [textFor(connection, now)], now));
    });
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
  #lookUp(due: Connection, fleet: Fleet, userId: string): Promise<void> {
    const key = keyOf(due);
    const underWay = this.#lookingUp.get(key);
    if (underWay !== undefined) return underWay;
    const lookup = this.#judge(key, due, fleet, userId).finally(() => this.#lookingUp.delete(key));
    this.#lookingUp.set(key, lookup);
    return lookup;
  }

  async #judge(key: string, due: Connection, fleet: Fleet, userId: string): Promise<void> {
    const lookup = within(TOKEN_LOOKUP_LIMIT_MS, mayWatch(this.#env, userId, due));
    const isValid = await lookup.catch(() => null);
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
    this.#unlessLost(socket, () => {
      let current = connection;
      while (current.confirmAskedAt === null) {
        const batch = batchFor(current, fleet, now, batches);
        if (batch === null) break;
        current = { ...accountFor(socket, current, batch.messages, now), ...batch.position };
      }
      if (current.confirmAskedAt !== null && now - current.confirmAskedAt > CONFIRM_WITHIN_MS) {
        socket.close(CLOSE_CODES.tooSlow, "too slow");
        return;
      }
      socket.serializeAttachment(current);
    });
  }

  #unlessLost(socket: WebSocket, send: () => void): void {
    try {
      send();
    } catch (error) {
      // The other side is gone; it resumes with a connection of its own.
      logWarning("a live connection was lost", { user_id: this.#ctx.id.name }, error);
      socket.close(CLOSE_CODES.tryAgain, "try again");
    }
  }
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

import type { CLOSE_CODES, ClientMessage, LiveMessage } from "../../fleet/live/messages.ts";
import { browserTimezone, language } from "../language.ts";

/** The page's live connection, opened again whenever it is lost. */

const REPLACED: typeof CLOSE_CODES.replaced = 4001;
const REVOKED: typeof CLOSE_CODES.revoked = 4003;

/** The first pause before a connection is tried again, and the longest; each is drawn between half of it and all. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/** A connection that has brought nothing for so long is asked whether it still stands, and then given up. */
const QUIET_MS = 60_000;
const ANSWER_WITHIN_MS = 10_000;

/** After so many failures in a row, something between here and the service does not let it through. */
const FAILURES_UNTIL_POLLING = 2;

/** `connected`; `lost`, and tried again; `unavailable`, so that somebody must poll, though it is still tried. */
export type ConnectionState = "connecting" | "connected" | "lost" | "unavailable";

interface Listener {
  onState(state: ConnectionState): void;
  /** A new connection: what was on its way over the former one does not come any more. */
  onOpen(): void;
  onMessage(message: LiveMessage): void;
  /** The session, or what it stems from, is not valid any more. */
  onRevoked(): void;
  /** Where to go on; null for a first time. */
  revision(): number | null;
}

/** A browser complains in its console of a connection that is closed before it stands. */
function end(socket: WebSocket | null): void {
  if (socket?.readyState !== WebSocket.CONNECTING) {
    socket?.close();
    return;
  }
  socket.onmessage = null;
  socket.onopen = () => socket.close();
}

interface Kept {
  /** Says it over the connection, where one stands. */
  say(message: ClientMessage): void;
  stop(): void;
}

export function keepConnected(listener: Listener): Kept {
  let socket: WebSocket | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watch: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let stopped = false;

  const say = (message: ClientMessage) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };

  const open = () => {
    clearTimeout(retry);
    if (stopped || socket !== null || document.hidden) return;
    const since = listener.revision();
    const address = new URL("/api/agent/live", location.href);
    address.searchParams.set("language", language.value);
    address.searchParams.set("time_zone", browserTimezone());
    if (since !== null) address.searchParams.set("since", String(since));
    address.protocol = address.protocol.replace("http", "ws");
    const mine = new WebSocket(address);
    socket = mine;
    mine.onopen = () => {
      failures = 0;
      listener.onOpen();
      listener.onState("connected");
      expectLife(mine);
    };
    mine.onmessage = ({ data }) => {
      expectLife(mine);
      if (data === "pong") return;
      const message: LiveMessage = JSON.parse(data);
      listener.onMessage(message);
      if (message.type === "confirm") say({ type: "confirmed" });
    };
    mine.onclose = ({ code }) => {
      if (mine === socket) lose(code);
    };
  };

  const lose = (code: number) => {
    socket = null;
    clearTimeout(watch);
    if (stopped) return;
    if (code === REVOKED) {
      listener.onRevoked();
      return;
    }
    failures += 1;
    const isReplaced = code === REPLACED;
    listener.onState(isReplaced || failures >= FAILURES_UNTIL_POLLING ? "unavailable" : "lost");
    // It would only push out another page of the same user.
    if (isReplaced) {
      stop();
      return;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
    retry = setTimeout(open, pauseMs * (0.5 + Math.random() / 2));
  };

  /** Something has come. A connection that is cut without a word is found out by its silence. */
  const expectLife = (mine: WebSocket) => {
    clearTimeout(watch);
    watch = setTimeout(() => {
      mine.send("ping");
      watch = setTimeout(() => {
        mine.close();
        // The close of a dead connection may take long to be heard.
        if (mine === socket) lose(0);
      }, ANSWER_WITHIN_MS);
    }, QUIET_MS);
  };

  const stop = () => {
    stopped = true;
    clearTimeout(retry);
    clearTimeout(watch);
    document.removeEventListener("visibilitychange", open);
    removeEventListener("online", open);
    end(socket);
  };

  // Whoever does not look is not reconnected before they look again.
  document.addEventListener("visibilitychange", open);
  addEventListener("online", open);
  // The page is drawn first.
  retry = setTimeout(open);
  return { say, stop };
}

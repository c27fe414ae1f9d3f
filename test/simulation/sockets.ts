import type { Life } from "./platform.ts";
import type { Scheduler } from "./scheduler.ts";

/** WebSockets as an object has them that may leave memory while they stay open. */

/** What reaches a client. */
export type Arrival =
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "closed"; readonly code: number };

/** A network that fails says nothing: by then whoever hears nothing has asked, and given up. */
const NOTICED_WITHIN_MS = 70_000;
/** The object may believe in a dead connection far longer. */
const BELIEVED_FOR_MS = 600_000;

const ABNORMAL_CLOSURE = 1006;

/** One connection. What is sent to the client comes late, in order, and not at all once the connection is lost. */
export class Connection {
  /** What the object has stored of it. */
  attachment: unknown = null;
  /** As the object sees it. */
  isOpen = true;
  readonly #scheduler: Scheduler;
  readonly #arrived: Arrival[] = [];
  #listener: ((arrival: Arrival) => void) | null = null;
  #isLost = false;
  #lastArrivesAt = 0;
  #toObject: (text: string) => void = () => {};

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The object has accepted it. */
  accepted(toObject: (text: string) => void): void {
    this.#toObject = toObject;
  }

  /** The client hears what comes, and what has come by now. */
  listen(listener: (arrival: Arrival) => void): void {
    this.#listener = listener;
    for (const arrival of this.#arrived.splice(0)) listener(arrival);
  }

  send(text: string): void {
    const scheduler = this.#scheduler;
    scheduler.at(scheduler.now + scheduler.latencyMs(), () => {
      if (!this.#isLost && this.isOpen) this.#toObject(text);
    });
  }

  toClient(arrival: Arrival): void {
    const scheduler = this.#scheduler;
    if (arrival.type === "closed") this.isOpen = false;
    this.#lastArrivesAt = Math.max(this.#lastArrivesAt, scheduler.now + scheduler.latencyMs());
    scheduler.at(this.#lastArrivesAt, () => {
      if (!this.#isLost) this.#arrive(arrival);
    });
  }

  /** The client closes it. */
  close(): void {
    this.#isLost = true;
    this.isOpen = false;
  }

  /** The network between fails. What is on its way is lost. */
  cut(): void {
    const scheduler = this.#scheduler;
    scheduler.at(scheduler.now + scheduler.between(0, BELIEVED_FOR_MS), () => {
      this.isOpen = false;
    });
    this.#lose();
  }

  /** The object's process has crashed, and knows nothing of it any more. */
  crash(): void {
    this.isOpen = false;
    this.#lose();
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const scheduler = this.#scheduler;
    const closed = { type: "closed", code: ABNORMAL_CLOSURE } as const;
    scheduler.at(scheduler.now + scheduler.between(1, NOTICED_WITHIN_MS), () => this.#arrive(closed));
  }

  #arrive(arrival: Arrival): void {
    if (this.#listener === null) this.#arrived.push(arrival);
    else this.#listener(arrival);
  }
}

/** The object's end of a connection, as one of its processes has it. */
export class Socket {
  readonly connection: Connection;
  /** Null until it is accepted. */
  #life: Life | null;

  constructor(connection: Connection, life: Life | null) {
    this.connection = connection;
    this.#life = life;
  }

  belongTo(life: Life): void {
    this.#life = life;
  }

  get #isAlive(): boolean {
    return this.#life?.isAlive === true;
  }

  get readyState(): number {
    return this.#isAlive && this.connection.isOpen ? WebSocket.OPEN : WebSocket.CLOSED;
  }

  send(text: string): void {
    if (this.readyState !== WebSocket.OPEN) throw new Error("it is closed");
    this.connection.toClient({ type: "message", text });
  }

  close(code: number): void {
    if (this.readyState === WebSocket.OPEN) this.connection.toClient({ type: "closed", code });
  }

  serializeAttachment(value: unknown): void {
    if (this.#isAlive) this.connection.attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return this.connection.attachment;
  }
}

/** What a Worker finds in its global scope, and Node lacks or has otherwise. */
export function socketGlobals(scheduler: () => Scheduler) {
  return {
    WebSocketPair: class {
      readonly 0: Connection;
      readonly 1: Socket;
      constructor() {
        this[0] = new Connection(scheduler());
        this[1] = new Socket(this[0], null);
      }
    },
    WebSocketRequestResponsePair: class {},
    // Node's own refuses the status of a connection that is switched.
    Response: class {
      readonly webSocket: unknown;
      constructor(_: unknown, { webSocket }: { webSocket: unknown }) {
        this.webSocket = webSocket;
      }
    },
  };
}

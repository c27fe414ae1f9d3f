import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { Webhook } from "standardwebhooks";
import { z } from "zod";

/**
 * A local control plane behind the provider `webhook`: machines that can be stopped, started, snapshotted and deleted
 * by signed orders. For the demo and the tests; a real one answers the same orders.
 */

const orderSchema = z.object({
  type: z.string().regex(/^instance\./),
  data: z.object({
    action_id: z.string().optional(),
    instance_id: z.string().optional(),
    provider_ref: z.string().optional(),
  }),
});

export interface Order {
  readonly kind: string;
  readonly instanceId: string;
  readonly actionId: string;
  readonly messageId: string;
  /** When it came, by this machine's clock. */
  readonly at: number;
}

/** What goes wrong with a call: it is refused, obeyed without an answer, or answered late. */
export type Trouble =
  | { readonly type: "refuses"; readonly reply: Reply }
  | { readonly type: "forgets" }
  | { readonly type: "is slow"; readonly delayMs: number };

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly delayMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export type MachineState = "running" | "stopped" | "gone";

export class ControlPlane {
  readonly secret = `whsec_${randomBytes(32).toString("base64")}`;
  /** Orders whose signature was good, oldest first; questions are not among them. */
  readonly orders: Order[] = [];
  /** Those of them that were carried out here, whether or not that was answered. */
  readonly deeds: Order[] = [];
  /** Calls whose signature was not. */
  forged = 0;
  readonly machines = new Map<string, MachineState>();
  /** By instance: the answer to an order in place of obeying; undefined to obey. */
  readonly interventions = new Map<string, (order: Order) => Reply | undefined>();
  /** Asked before each call, questions included; null while nothing goes wrong. */
  trouble: (kind: string, instanceId: string) => Trouble | null = () => null;
  readonly #server: Server;
  #port = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const headers = Object.fromEntries(
          Object.entries(request.headers).flatMap(([name, value]) =>
            typeof value === "string" ? [[name, value]] : [],
          ),
        );
        const reply = this.#answer(Buffer.concat(chunks).toString("utf8"), headers);
        if (reply === "forgotten") return void request.socket.destroy();
        setTimeout(() => {
          response.writeHead(reply.status, { "Content-Type": "application/json", ...reply.headers });
          response.end(JSON.stringify(reply.body));
        }, reply.delayMs ?? 0);
      });
    });
  }

  static async start(): Promise<ControlPlane> {
    const plane = new ControlPlane();
    await new Promise<void>((listening) => plane.#server.listen(0, "127.0.0.1", listening));
    const address = plane.#server.address();
    plane.#port = address !== null && typeof address === "object" ? address.port : 0;
    return plane;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/orders`;
  }

  /** Kinds of the orders for an instance, oldest first. */
  ordersFor(instanceId: string): string[] {
    return this.orders.filter((order) => order.instanceId === instanceId).map((order) => order.kind);
  }

  /** The same, where the service was stopped meanwhile: an order whose answer it had not kept comes again, with the id of the first. */
  distinctOrdersFor(instanceId: string): string[] {
    const orders = this.orders.filter((order) => order.instanceId === instanceId);
    return [...new Map(orders.map(({ messageId, kind }) => [messageId, kind])).values()];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #answer(text: string, headers: Record<string, string>): Reply | "forgotten" {
    let payload: unknown;
    try {
      payload = new Webhook(this.secret).verify(text, headers);
    } catch {
      this.forged += 1;
      return { status: 401, body: { error: "bad signature" } };
    }
    const { type, data } = orderSchema.parse(payload);
    const kind = type.slice("instance.".length);
    const instanceId = data.instance_id ?? "";
    const messageId = headers["webhook-id"] ?? "";
    const order = { kind, instanceId, actionId: data.action_id ?? "", messageId, at: Date.now() };
    const trouble = this.trouble(kind, instanceId);
    switch (trouble?.type) {
      case undefined:
        return this.#take(order);
      case "refuses":
        return trouble.reply;
      case "forgets":
        this.#take(order);
        return "forgotten";
      case "is slow":
        return { ...this.#take(order), delayMs: trouble.delayMs };
    }
  }

  #take(order: Order): Reply {
    const { kind, instanceId } = order;
    const state = this.machines.get(instanceId) ?? "running";
    if (kind === "ping") return { status: 200, body: {} };
    if (kind === "status") return { status: 200, body: { state } };
    this.orders.push(order);
    return this.interventions.get(instanceId)?.(order) ?? this.#obey(order);
  }

  #obey(order: Order): Reply {
    const { kind, instanceId } = order;
    this.deeds.push(order);
    switch (kind) {
      case "hibernate":
      case "force_hibernate":
        this.machines.set(instanceId, "stopped");
        return { status: 202, body: { status: "accepted" } };
      case "wake":
        this.machines.set(instanceId, "running");
        return { status: 202, body: { status: "accepted" } };
      case "snapshot":
        return { status: 200, body: { status: "done", snapshot_id: `snap-${instanceId}` } };
      case "delete":
        this.machines.set(instanceId, "gone");
        return { status: 200, body: { status: "done" } };
      default:
        return { status: 400, body: { error: `unknown order ${kind}` } };
    }
  }
}

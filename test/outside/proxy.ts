import { createServer, request, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Stands between a client and the service: counts what is asked, and can cut the connection. */
export class CuttableProxy {
  /** The path of every request that came, those for a WebSocket too. */
  readonly paths: string[] = [];
  /** WebSockets are refused, as some companies' proxies do. */
  refusesSockets = false;
  #isCut = false;
  readonly #server: Server;
  readonly #connections = new Set<Duplex>();
  #port = 0;

  private constructor(target: URL) {
    this.#server = createServer((incoming, answer) => {
      this.paths.push(incoming.url ?? "");
      const { method, url: path, headers } = incoming;
      const onward = request(
        { host: target.hostname, port: target.port, method, path, headers },
        (response) => {
          answer.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(answer);
        },
      );
      onward.on("error", () => answer.destroy());
      incoming.pipe(onward);
    });
    this.#server.on("connection", (socket: Socket) => {
      if (this.#isCut) socket.destroy();
      else this.#keep(socket);
    });
    this.#server.on("upgrade", (incoming, socket: Duplex, head: Buffer) => {
      this.paths.push(incoming.url ?? "");
      if (this.refusesSockets) {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      const onward = connect(Number(target.port), target.hostname, () => {
        const lines = incoming.rawHeaders.flatMap((name, index, all) =>
          index % 2 === 0 ? [`${name}: ${all[index + 1]}`] : [],
        );
        onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
        onward.write(head);
        socket.pipe(onward).pipe(socket);
      });
      this.#keep(onward);
      for (const side of [socket, onward]) {
        side.on("error", () => {});
        side.on("close", () => {
          socket.destroy();
          onward.destroy();
        });
      }
    });
  }

  #keep(socket: Duplex): void {
    this.#connections.add(socket);
    socket.on("close", () => this.#connections.delete(socket));
  }

  static async start(target: string): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(new URL(target));
    await new Promise<void>((listening) => proxy.#server.listen(0, "127.0.0.1", listening));
    const address = proxy.#server.address();
    proxy.#port = address !== null && typeof address === "object" ? address.port : 0;
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Ends every connection, and lets none through before `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#connections) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }
}

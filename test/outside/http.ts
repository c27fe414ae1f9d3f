import { createServer, type IncomingHttpHeaders, type Server } from "node:http";

/** A call that a stand-in of the outside world has got. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server on this machine that answers as it is told, and keeps what it was asked. */
export class FakeHttp {
  readonly calls: Call[] = [];
  readonly #server: Server;
  #port = 0;

  private constructor(answer: (call: Call) => Reply | Promise<Reply>) {
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", async () => {
        const call = {
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers,
          body,
        };
        this.calls.push(call);
        const reply = await answer(call);
        response.writeHead(reply.status, reply.headers).end(reply.body);
      });
    });
  }

  static async start(answer: (call: Call) => Reply | Promise<Reply>): Promise<FakeHttp> {
    const fake = new FakeHttp(answer);
    await new Promise<void>((listening) => fake.#server.listen(0, "127.0.0.1", listening));
    const address = fake.#server.address();
    fake.#port = address !== null && typeof address === "object" ? address.port : 0;
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

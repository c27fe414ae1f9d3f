import { SMTPServer } from "smtp-server";

/** A mail server on this machine that takes whatever a known sender gives it, and keeps it. */

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
}

export class FakeMail {
  static readonly USERNAME = "dumont";
  static readonly PASSWORD = "a password";
  readonly mails: Mail[] = [];
  readonly #server: SMTPServer;
  #port = 0;

  private constructor() {
    this.#server = new SMTPServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, answer) => {
        if (username === FakeMail.USERNAME && password === FakeMail.PASSWORD)
          answer(null, { user: username });
        else answer(new Error("535 authentication failed"));
      },
      onData: (stream, session, done) => {
        let data = "";
        stream.on("data", (chunk) => {
          data += chunk;
        });
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            data,
          });
          done();
        });
      },
    });
  }

  static async start(): Promise<FakeMail> {
    const mail = new FakeMail();
    await new Promise<void>((listening) => mail.#server.listen(0, "127.0.0.1", listening));
    const address = mail.#server.server.address();
    mail.#port = address !== null && typeof address === "object" ? address.port : 0;
    return mail;
  }

  get port(): number {
    return this.#port;
  }

  async stop(): Promise<void> {
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }
}

import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/** Services that are told, on this machine: each takes and refuses as its documentation says. */

/** Any JSON that was sent. */
// biome-ignore lint/suspicious/noExplicitAny: what a test looks at it names itself.
export type Sent = any;

export interface FakeService {
  readonly http: FakeHttp;
  /** The messages that were taken. */
  readonly taken: Sent[];
  /** Answers once as told instead of by the documentation. */
  answerNext(reply: Reply): void;
}

/** `take`: what the service does with a call; null: it takes it. */
async function serve(
  refuse: (call: Call, body: Sent) => Reply | null,
  yes: (call: Call) => Reply,
): Promise<FakeService> {
  const taken: Sent[] = [];
  const next: Reply[] = [];
  const http = await FakeHttp.start((call) => {
    const told = next.shift();
    if (told !== undefined) return told;
    if (call.method !== "POST" || call.headers["content-type"] !== "application/json")
      return json(415, { message: "not JSON" });
    const body = JSON.parse(call.body);
    const refused = refuse(call, body);
    if (refused !== null) return refused;
    taken.push(body);
    return yes(call);
  });
  return { http, taken, answerNext: (reply) => void next.push(reply) };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return { status, body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
}

/** https://docs.discord.com/developers/resources/webhook#execute-webhook */
export function fakeDiscord(): Promise<FakeService> {
  return serve(
    ({ path }, { content = "", embeds = [], allowed_mentions }) => {
      if (!path.startsWith("/api/webhooks/1234/secret-token"))
        return json(404, { message: "Unknown Webhook", code: 10015 });
      const lengths = embeds.map(
        ({ title = "", description = "" }) => [...title].length + [...description].length,
      );
      const all = lengths.reduce((sum: number, each: number) => sum + each, 0);
      const isTooLong =
        [...content].length > 2000 ||
        embeds.length > 10 ||
        all > 6000 ||
        embeds.some(
          ({ title = "", description = "" }) => [...title].length > 256 || [...description].length > 4096,
        );
      if (isTooLong || (content === "" && embeds.length === 0))
        return json(400, { message: "Invalid Form Body", code: 50035 });
      return allowed_mentions?.parse?.length === 0
        ? null
        : json(400, { message: "somebody would be called" });
    },
    ({ path }) => (path.includes("wait=true") ? json(200, { id: "1" }) : { status: 204, body: "" }),
  );
}

/** A workflow says yes before it does anything; a card holds 28 KB. */
export function fakeTeams(): Promise<FakeService> {
  return serve(
    ({ path, body }, { type, attachments }) => {
      if (!path.includes("sig=secret-signature"))
        return json(401, {
          error: { code: "DirectApiAuthorizationRequired", message: `${path} is not signed` },
        });
      const [attachment] = attachments ?? [];
      const isCard =
        type === "message" &&
        attachment?.contentType === "application/vnd.microsoft.card.adaptive" &&
        attachment.content?.type === "AdaptiveCard" &&
        Array.isArray(attachment.content.body);
      return isCard && Buffer.byteLength(body) <= 28 * 1024
        ? null
        : json(400, { error: { code: "BadRequest" } });
    },
    () => ({ status: 202, body: "" }),
  );
}

export const TELEGRAM_BOT = `123456:${"A".repeat(35)}`;

/** https://core.telegram.org/bots/api#sendmessage */
export function fakeTelegram(): Promise<FakeService> {
  const refusal = (status: number, description: string, parameters?: object) =>
    json(status, { ok: false, error_code: status, description, ...(parameters && { parameters }) });
  return serve(
    ({ path }, { chat_id, text, parse_mode }) => {
      if (path !== `/bot${TELEGRAM_BOT}/sendMessage`) return refusal(401, "Unauthorized");
      if (chat_id === "-5")
        return refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", {
          migrate_to_chat_id: -1005,
        });
      if (chat_id === "6") return refusal(403, "Forbidden: bot was blocked by the user");
      if (!["-1005", "42"].includes(chat_id)) return refusal(400, "Bad Request: chat not found");
      if (parse_mode === "HTML" && !isTelegramHtml(text))
        return refusal(400, "Bad Request: can't parse entities");
      return [...plainOf(text)].length <= 4096 ? null : refusal(400, "Bad Request: message is too long");
    },
    () => json(200, { ok: true, result: { message_id: 1 } }),
  );
}

const plainOf = (html: string) => html.replaceAll(/<[^>]*>/g, "");

function isTelegramHtml(text: string): boolean {
  const open: string[] = [];
  for (const [, tag, isEnd] of [...text.matchAll(/<(\/?)(\w+)[^>]*>/g)].map(
    ([all, slash, name]) => [all, name, slash === "/"] as const,
  )) {
    if (!["b", "i", "a"].includes(tag ?? "")) return false;
    if (isEnd) {
      if (open.pop() !== tag) return false;
    } else open.push(tag ?? "");
  }
  return open.length === 0 && !/&(?!lt;|gt;|amp;|quot;)/.test(text) && !/<(?!\/?[bia][\s>])/.test(text);
}

/** https://docs.ntfy.sh/publish/#publish-as-json */
export function fakeNtfy(token: string | null = null): Promise<FakeService> {
  return serve(
    ({ path, headers }, { topic, message, priority, actions = [], click, sequence_id }) => {
      if (path !== "/") return json(404, { code: 40401, error: "page not found" });
      if (token !== null && headers.authorization !== `Bearer ${token}`)
        return json(403, { code: 40301, http: 403, error: "forbidden" });
      const isGood =
        /^[-_A-Za-z0-9]{1,64}$/.test(topic) &&
        Buffer.byteLength(message) <= 4096 &&
        priority >= 1 &&
        priority <= 5 &&
        actions.length <= 3 &&
        /^[-_A-Za-z0-9]{1,64}$/.test(sequence_id) &&
        URL.canParse(click);
      return isGood
        ? null
        : json(400, { code: 40024, error: "invalid request: request body must be valid JSON" });
    },
    () => json(200, { id: "abc", event: "message" }),
  );
}

export const PAGERDUTY_ROUTE = "k".repeat(32);

/** https://developer.pagerduty.com/docs/send-alert-event, and which incidents are open by what it has taken. */
export async function fakePagerDuty(): Promise<FakeService & { open(): Map<string, Sent> }> {
  const service = await serve(
    ({ path }, { routing_key, event_action, dedup_key, payload }) => {
      if (path !== "/v2/enqueue") return json(404, {});
      const isTrigger = event_action === "trigger";
      const isGood =
        routing_key === PAGERDUTY_ROUTE &&
        ["trigger", "resolve"].includes(event_action) &&
        dedup_key?.length > 0 &&
        dedup_key.length <= 255 &&
        (!isTrigger ||
          (payload?.summary?.length <= 1024 &&
            payload.source?.length > 0 &&
            ["info", "warning", "error", "critical"].includes(payload.severity)));
      return isGood ? null : json(400, { status: "invalid event", message: "Event object is invalid" });
    },
    () => json(202, { status: "success", message: "Event processed" }),
  );
  const open = () => {
    const incidents = new Map<string, Sent>();
    for (const event of service.taken) {
      if (event.event_action === "trigger") incidents.set(event.dedup_key, event);
      else incidents.delete(event.dedup_key);
    }
    return incidents;
  };
  return { ...service, open };
}

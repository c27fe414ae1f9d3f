import type { ComponentChildren } from "preact";
import { dateTime, number } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { language, words } from "../words.ts";
import { askAsOperator, type Service, useOperator } from "./operator-api.ts";
import { operatorWords } from "./words.ts";

/** Totals, guards, what waits, and who is slow. */
export function ServicePart() {
  const service = useOperator<Service>("/service");
  return (
    <Answered of={service}>
      {(data) => (
        <>
          <Figures service={data} />
          <div class="operator-columns">
            <Providers service={data} />
            <Channels service={data} />
            <Cleanup service={data} />
            <Events />
          </div>
        </>
      )}
    </Answered>
  );
}

function Figures({ service }: { service: Service }) {
  const texts = operatorWords.value;
  const locale = language.value;
  const { guard, deliveries, failures, databases } = service;
  const total = Object.values(service.instances_by_status).reduce((sum, count) => sum + count, 0);
  const figure = (name: string, value: string, isBad: boolean, hint: string | null = null) => (
    <div class={isBad ? "bad" : undefined}>
      <dt>{name}</dt>
      <dd>
        {value}
        {hint !== null && <span class="faint">{hint}</span>}
      </dd>
    </div>
  );
  const counted = (name: string, count: number, hint: string | null = null) =>
    figure(name, number(count, locale), count > 0, hint);
  return (
    <section class="card">
      <h2>{texts.service}</h2>
      <dl class="operator-figures">
        {figure(texts.instances, number(total, locale), false, byStatus(service.instances_by_status))}
        {figure(
          texts.guard,
          guard.closed_at === null ? texts.guardOpen : texts.guardClosed(dateTime(guard.closed_at, locale)),
          guard.closed_at !== null,
        )}
        {counted(texts.closedGuards, service.users_with_closed_guard)}
        {counted(texts.parked, deliveries.parked, texts.parkedHint)}
        {counted(texts.givenUp, deliveries.given_up)}
        {counted(texts.failures, failures.requests)}
        {counted(texts.overdue, failures.overdue_orders)}
        {counted(texts.lateAlarms, failures.late_alarms)}
        {counted(texts.broken, failures.broken_invariants)}
        {figure(texts.version, service.version, false)}
        {figure(
          texts.databases,
          databases.map(({ name, status }) => `${name} ${texts.database[status]}`).join(", "),
          databases.some(({ status }) => status !== "ok"),
        )}
      </dl>
      <p class="faint small">{texts.sinceCounters}</p>
    </section>
  );
}

/** How many instances are in which status: "12 Running, 3 Hibernated". */
export function byStatus(counts: Readonly<Record<string, number>>): string {
  const names: Readonly<Record<string, string>> = words.value.status;
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${number(count, language.value)} ${names[status] ?? status}`)
    .join(", ");
}

/** On a narrow screen it scrolls, by the keyboard too. */
function Table({
  label,
  head,
  children,
}: {
  label: string;
  head: readonly string[];
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="wide-table" aria-label={label} tabIndex={0}>
      <table class="lines">
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function Providers({ service: { providers } }: { service: Service }) {
  const texts = operatorWords.value;
  const names: Readonly<Record<string, string>> = words.value.providers;
  const locale = language.value;
  return (
    <section class="card">
      <h2>{texts.providers}</h2>
      {providers.length === 0 ? (
        <p class="faint">{texts.noProviders}</p>
      ) : (
        <Table
          label={texts.providers}
          head={[texts.provider, texts.calls, texts.wait, texts.limited, texts.turnsGivenUp]}
        >
          {providers.map(({ provider, calls, average_wait_seconds, limited, given_up }) => (
            <tr key={provider}>
              <th scope="row">{names[provider] ?? provider}</th>
              <td class="figure">{number(calls, locale)}</td>
              <td class="figure">
                {average_wait_seconds === null ? "–" : texts.seconds(number(average_wait_seconds, locale))}
              </td>
              <td class="figure">{number(limited, locale)}</td>
              <td class="figure">{number(given_up, locale)}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Channels({ service: { channels } }: { service: Service }) {
  const texts = operatorWords.value;
  const locale = language.value;
  return (
    <section class="card">
      <h2>{texts.channels}</h2>
      {channels.length === 0 ? (
        <p class="faint">{texts.noChannels}</p>
      ) : (
        <Table
          label={texts.channels}
          head={[texts.channel, texts.delivered, texts.failed, texts.messagesGivenUp]}
        >
          {channels.map(({ kind, delivered, failed, given_up }) => (
            <tr key={kind}>
              <th scope="row">{words.value.channelKind(kind)}</th>
              <td class="figure">{number(delivered, locale)}</td>
              <td class="figure">{number(failed, locale)}</td>
              <td class="figure">{number(given_up, locale)}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Cleanup({ service: { cleanup } }: { service: Service }) {
  const texts = operatorWords.value;
  const passedOver = Object.entries(cleanup?.passed_over ?? {}).filter(([, count]) => count > 0);
  const run = () =>
    doAndSay(
      () => askAsOperator("POST", "/cleanup"),
      () => texts.cleanupBegun,
    );
  return (
    <section class="card">
      <h2>{texts.cleanup}</h2>
      <p>
        {cleanup === null
          ? texts.noCleanup
          : texts.cleanupAt(
              dateTime(cleanup.started_at, language.value),
              cleanup.instances,
              cleanup.unreachable,
            )}
      </p>
      {passedOver.map(([what, count]) => (
        <p key={what}>{texts.passedOver(count, what)}</p>
      ))}
      <div class="buttons">
        <button type="button" onClick={run}>
          {texts.runCleanup}
        </button>
      </div>
    </section>
  );
}

interface ServiceEvent {
  readonly id: string;
  readonly at: string;
  readonly severity: string;
  readonly message: string;
}

function Events() {
  const { events, noEvents } = operatorWords.value;
  const answer = useOperator<{ events: readonly ServiceEvent[] }>("/events?limit=20");
  return (
    <section class="card">
      <h2>{events}</h2>
      <Answered of={answer}>
        {(data) =>
          data.events.length === 0 ? (
            <p class="faint">{noEvents}</p>
          ) : (
            <ol class="timeline">
              {data.events.map(({ id, at, severity, message }) => (
                <li key={id} class={severity}>
                  <time dateTime={at}>{dateTime(at, language.value)}</time>
                  <div>{message}</div>
                </li>
              ))}
            </ol>
          )
        }
      </Answered>
    </section>
  );
}

import { useState } from "preact/hooks";
import { dateTime, duration, number } from "../../format.ts";
import { evidenceText } from "../../replay/evidence-text.ts";
import { language, words } from "../../words.ts";
import type { ReadingThen, WhyAnswer } from "./answer.ts";
import { nearest } from "./moment.ts";
import { whyWords } from "./words.ts";

/** A moment of the past, as the service tells it, below its verdict. */
export function Told({ answer }: { answer: WhyAnswer }) {
  const { figures, nothingNext, nextAt, notHeld, policyUnknown } = whyWords.value;
  const { lifecycle, policy, heard } = answer;
  const { next_step, at, blocked_by, because } = lifecycle;
  // Without its readings, what came next would be that of a machine that was never heard.
  const isRetraced = answer.verdict !== "not_kept";
  const step = next_step === null ? nothingNext : words.value.step(next_step);
  return (
    <>
      <dl class="figures">
        <Figure name={figures.status} value={words.value.status[answer.status]} />
        {isRetraced && (
          <>
            <Figure name={figures.next} value={at === null ? step : nextAt(step, clockTime(at, answer.at))} />
            <Figure
              name={figures.held}
              value={blocked_by === null ? notHeld : words.value.block[blocked_by]}
            />
            <Figure name={figures.reading} value={readingText(heard)} />
          </>
        )}
        <Figure name={figures.policy} value={policyText(policy)} isLong />
      </dl>
      {isRetraced && <p class="faint">{because}</p>}
      {policy !== null && policy.unknown_because !== null && (
        <p class="faint">
          {policyUnknown} <span lang="en">{policy.unknown_because}.</span>
        </p>
      )}
      <Readings answer={answer} key={answer.at} />
      <Events answer={answer} />
    </>
  );
}

function Figure({ name, value, isLong = false }: { name: string; value: string; isLong?: boolean }) {
  return (
    <div class={isLong ? "long" : ""}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What the policy made of the moment, in one sentence. */
export function verdictText({
  verdict,
  at,
  idle_since,
  idle_at_least,
  heard,
  status,
  hour,
}: WhyAnswer): string {
  const said = whyWords.value.verdict;
  const evidence = heard?.because == null ? "" : evidenceText(heard.because);
  switch (verdict) {
    case "idle": {
      const seconds = idle_since === null ? 0 : secondsBetween(idle_since, at);
      if (idle_since === null || seconds < 0) return said.idle;
      return idle_at_least
        ? said.idleAtLeast(duration(seconds))
        : said.idleFor(clockTime(idle_since, at), duration(seconds));
    }
    case "in_use":
      return said.inUse(evidence);
    case "unknown":
      return said.unknown(evidence);
    case "not_judged":
      return said.notJudged;
    case "silent":
      return said.silent(heard === null ? null : duration(secondsBetween(heard.at, at)));
    case "off":
      return said.off(status);
    case "not_kept": {
      const gpu = hour?.max_gpu_utilization ?? null;
      return said.notKept(
        hour?.heartbeats ?? 0,
        hour?.work_heartbeats ?? null,
        gpu === null ? null : percent(gpu),
      );
    }
  }
}

function readingText(heard: ReadingThen | null): string {
  const { noReading, unread } = whyWords.value;
  if (heard === null) return noReading;
  if (heard.metric === null || heard.percent === null) return unread;
  return `${heard.metric} ${percent(heard.percent)}`;
}

function policyText(policy: WhyAnswer["policy"]): string {
  if (policy === null) return words.value.comingBack.unknown;
  const { policyOf, idleOff, observes } = whyWords.value;
  const { idle, mode } = policy.settings;
  const said = idle.enabled
    ? policyOf(
        percent(idle.threshold_percent),
        duration(idle.warn_after_seconds),
        duration(idle.hibernate_after_seconds),
      )
    : idleOff;
  return mode === "observe" ? `${said}; ${observes}` : said;
}

/** Each reading around the moment, with what the policy made of it. */
function Readings({ answer: { readings, at, heard } }: { answer: WhyAnswer }) {
  const [isAll, setAll] = useState(false);
  const { readings: title, columns, all } = whyWords.value;
  if (readings.length === 0) return null;
  const near = nearest(readings, Date.parse(at));
  return (
    <>
      <h3>{title}</h3>
      <table class="use then">
        <thead>
          <tr>
            <th scope="col">{columns.at}</th>
            <th scope="col">{columns.reading}</th>
            <th scope="col">{columns.seen}</th>
            <th scope="col">{columns.verdict}</th>
          </tr>
        </thead>
        <tbody>
          {(isAll ? readings : near).map((reading, index) => (
            <Row
              key={`${reading.at} ${index}`}
              reading={reading}
              at={at}
              isNewest={reading.at === heard?.at && !reading.is_late}
            />
          ))}
        </tbody>
      </table>
      {!isAll && near.length < readings.length && (
        <button type="button" onClick={() => setAll(true)}>
          {all(readings.length)}
        </button>
      )}
    </>
  );
}

function Row({ reading, at, isNewest }: { reading: ReadingThen; at: string; isNewest: boolean }) {
  const { columns, counted, now, late, preparing, nothing } = whyWords.value;
  const notes = [isNewest ? now : "", reading.is_late ? late : "", reading.is_preparing ? preparing : ""];
  const note = notes.filter((each) => each !== "").join(", ");
  return (
    <tr class={isNewest ? `${reading.verdict} newest` : reading.verdict}>
      <th scope="row">
        <time dateTime={reading.at}>{clockTime(reading.at, at)}</time>
        {note !== "" && <span class="note faint">{note}</span>}
      </th>
      <td data-label={columns.reading} class="figure">
        {readingText(reading)}
      </td>
      <td data-label={columns.seen}>{reading.because === null ? nothing : evidenceText(reading.because)}</td>
      <td data-label={columns.verdict} class="state">
        {counted[reading.verdict]}
      </td>
    </tr>
  );
}

function Events({ answer: { events, at } }: { answer: WhyAnswer }) {
  const { events: title, noEvents } = whyWords.value;
  return (
    <details open={events.length > 0 && events.length <= 8}>
      <summary>{title}</summary>
      {events.length === 0 ? (
        <p class="faint">{noEvents}</p>
      ) : (
        <ol class="around">
          {events.map((event) => (
            <li key={event.id}>
              <time dateTime={event.at}>{clockTime(event.at, at)}</time>{" "}
              <b>{words.value.event(event.kind)}</b> {event.message}
            </li>
          ))}
        </ol>
      )}
    </details>
  );
}

/** Without the day where it is that of the moment. */
function clockTime(iso: string, momentIso: string): string {
  const [at, moment] = [new Date(iso), new Date(momentIso)];
  if (at.toDateString() !== moment.toDateString()) return dateTime(iso, language.value);
  return new Intl.DateTimeFormat(language.value, { timeStyle: "medium" }).format(at);
}

function percent(value: number): string {
  return `${number(value, language.value)}%`;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

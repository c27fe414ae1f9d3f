import { useEffect, useState } from "preact/hooks";
import type { PreparationsView, PreparationView } from "../../lifecycle/views/preparation-view.ts";
import { ask } from "../api.ts";
import { dateTime, duration } from "../format.ts";
import { errorText } from "../parts/notice.tsx";
import { Ago } from "../parts/ticking.tsx";
import { asApiError } from "../poll.ts";
import { language, words } from "../words.ts";

/** How the machine's hooks prepare it for its hibernation, and how they did the last time, which is read on demand. */
export function PreparationCard({
  preparation,
  address,
}: {
  preparation: PreparationView | null;
  address: string;
}) {
  const { title, last } = words.value.use.preparation;
  const [isAsked, setAsked] = useState(false);
  return (
    <section class="card">
      <h2>{title}</h2>
      {preparation !== null && <Running preparation={preparation} />}
      <details onToggle={({ currentTarget }) => setAsked(currentTarget.open)}>
        <summary>{last}</summary>
        {isAsked && <Last key={String(preparation === null)} address={address} />}
      </details>
    </section>
  );
}

function Running({ preparation }: { preparation: PreparationView }) {
  const { because, began_at, limit_at, state, seconds, line } = preparation;
  const { preparation: said } = words.value.use;
  return (
    <>
      <p>
        <b>{said.because(because)}</b>{" "}
        {state === "running" ? said.state.running(duration(seconds ?? 0)) : said.state[state]} {said.callOff}
      </p>
      <dl class="figures">
        <div>
          <dt>{said.since}</dt>
          <dd>
            <Ago at={began_at} />
          </dd>
        </div>
        <div>
          <dt>{said.limit}</dt>
          <dd>{dateTime(limit_at, language.value)}</dd>
        </div>
      </dl>
      {line !== null && line !== "" && (
        <p class="last-line">
          <span class="faint">{said.line}: </span>
          <code>{line}</code>
        </p>
      )}
    </>
  );
}

function Last({ address }: { address: string }) {
  const [read, setRead] = useState<Pick<PreparationsView, "last"> | { readonly problem: string } | null>(
    null,
  );
  const { preparation: said } = words.value.use;
  useEffect(() => {
    let isLeft = false;
    ask<PreparationsView>("GET", `${address}/preparation`).then(
      ({ last }) => !isLeft && setRead({ last }),
      (error: unknown) => !isLeft && setRead({ problem: errorText(asApiError(error)) }),
    );
    return () => {
      isLeft = true;
    };
  }, [address]);
  if (read === null) return <p class="faint">{words.value.loading}</p>;
  if ("problem" in read) return <p class="wrong">{read.problem}</p>;
  if (read.last === null) return <p class="faint">{said.none}</p>;
  const { ended_at, outcome, seconds, log } = read.last;
  return (
    <>
      <p>
        {said.outcome[outcome]} {seconds !== null && said.took(duration(seconds))}{" "}
        <time class="faint" dateTime={ended_at}>
          {dateTime(ended_at, language.value)}
        </time>
      </p>
      {log === null || log === "" ? (
        <p class="faint">{said.noLog}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section class="log" tabIndex={0} aria-label={said.log}>
          <pre>{log}</pre>
        </section>
      )}
    </>
  );
}

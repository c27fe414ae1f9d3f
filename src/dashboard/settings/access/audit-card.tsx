import { useEffect, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { dateTime } from "../../format.ts";
import { errorText } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import { spelledOut } from "../../words/spelled-out.ts";
import { language, words } from "../../words.ts";
import { aboutAct } from "./about-act.ts";
import type { Act } from "./answers.ts";
import { accessWords } from "./words.ts";

const PAGE = 50;

interface Page {
  readonly acts: readonly Act[];
  readonly next_cursor: string | null;
}

/** Who did what, the newest first. */
export function AuditCard() {
  const [acts, setActs] = useState<readonly Act[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const read = async (cursor: string | null, before: readonly Act[]) => {
    try {
      const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await ask<Page>("GET", `/api/agent/audit?limit=${PAGE}${from}`);
      setActs([...before, ...page.acts]);
      setNext(page.next_cursor);
      setProblem(null);
    } catch (error) {
      setProblem(errorText(asApiError(error)));
    }
  };
  useEffect(() => void read(null, []), []);
  const { auditTitle, auditHint, noActs } = accessWords.value;
  const { older, loading } = words.value;
  return (
    <section class="card">
      <h2>{auditTitle}</h2>
      <p class="faint">{auditHint}</p>
      {problem !== null && (
        <p class="banner" role="alert">
          {problem}
        </p>
      )}
      {acts === null && problem === null && <p class="faint">{loading}</p>}
      {acts?.length === 0 && <p>{noActs}</p>}
      {acts !== null && acts.length > 0 && (
        <ol class="audit">
          {acts.map((act) => (
            <ActRow key={act.id} act={act} />
          ))}
        </ol>
      )}
      {next !== null && (
        <button type="button" onClick={() => read(next, acts ?? [])}>
          {older}
        </button>
      )}
    </section>
  );
}

/** One of another release has no words here. */
function actOf(act: string, { connected }: Act["detail"]): string {
  if (act === "finishOpenIdSignIn" && connected === true) return accessWords.value.connectedAct;
  const known = new Map(Object.entries(accessWords.value.acts)).get(act);
  return known ?? spelledOut(act.replaceAll(/([A-Z])/g, "_$1").toLowerCase());
}

function ActRow({ act: { at, who, act, subject, detail } }: { act: Act }) {
  const { operator, refusedAct } = accessWords.value;
  return (
    <li>
      <time class="faint" dateTime={at}>
        {dateTime(at, language.value)}
      </time>
      <span>
        <b>{who.name ?? operator}</b> {actOf(act, detail)}
        {detail.refused === true && <span class="refused"> {refusedAct}</span>}
      </span>
      <span class="faint">{aboutAct(act === "finishOpenIdSignIn" ? null : subject, detail)}</span>
    </li>
  );
}

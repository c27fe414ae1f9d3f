import { ask } from "../../api.ts";
import { Answered } from "../../parts/answered.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { useLive } from "../../poll.ts";
import { forget } from "../../session.ts";
import { words } from "../../words.ts";
import type { Session } from "./answers.ts";
import { RoleBadge } from "./role-badge.tsx";
import { agoOf } from "./times.ts";
import { accessWords } from "./words.ts";

const ADDRESS = "/api/agent/sessions";
const PAUSE_MS = 60_000;

/** The browsers that are signed in. */
export function SessionsCard() {
  const sessions = useLive<{ sessions: readonly Session[] }>(ADDRESS, PAUSE_MS);
  const { sessionsTitle, sessionsHint } = accessWords.value;
  return (
    <section class="card">
      <h2>{sessionsTitle}</h2>
      <p class="faint">{sessionsHint}</p>
      <Answered of={sessions}>
        {(data) => (
          <ul class="access-list">
            {data.sessions.map((session) => (
              <SessionRow key={session.id} session={session} onChange={sessions.refresh} />
            ))}
          </ul>
        )}
      </Answered>
    </section>
  );
}

function SessionRow({ session, onChange }: { session: Session; onChange: () => void }) {
  const { id, by, role, last_used_at, this: isThis } = session;
  const device = accessWords.value.device(session.device);
  const { thisBrowser, signedInAs, lastUsed, signOutThere, signedOutThere } = accessWords.value;
  const action = isThis ? words.value.signOut : signOutThere;
  const end = async () => {
    await doAndSay(
      () => ask("DELETE", `${ADDRESS}/${id}`),
      () => signedOutThere(device),
    );
    if (isThis) forget();
    else onChange();
  };
  return (
    <li>
      <span>
        <b>{device}</b> {isThis && <span class="this">{thisBrowser}</span>}
        <span class="faint line">
          {signedInAs[by.kind](by.name)} <RoleBadge role={role} />
        </span>
      </span>
      <span class="faint">{lastUsed(agoOf(last_used_at))}</span>
      <span class="buttons">
        <button type="button" aria-label={words.value.of(action, device)} onClick={end}>
          {action}
        </button>
      </span>
    </li>
  );
}

import { ask } from "../../api.ts";
import { frameWords } from "../../frame/words.ts";
import { Answered } from "../../parts/answered.tsx";
import { confirmed } from "../../parts/dialog.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { useLive } from "../../poll.ts";
import { forget, may } from "../../session.ts";
import { words } from "../../words.ts";
import type { Person } from "./answers.ts";
import { RoleBadge } from "./role-badge.tsx";
import { PERSON_ROLES } from "./role-choice.tsx";
import { agoOf } from "./times.ts";
import { accessWords } from "./words.ts";

const ADDRESS = "/api/agent/people";
const PAUSE_MS = 60_000;

/** Those who sign in to the account. */
export function PeopleCard() {
  const people = useLive<{ people: readonly Person[] }>(ADDRESS, PAUSE_MS);
  const { peopleTitle, peopleHint, noPeople } = accessWords.value;
  return (
    <section class="card">
      <h2>{peopleTitle}</h2>
      <p class="faint">{peopleHint}</p>
      <Answered of={people}>
        {(data) =>
          data.people.length === 0 ? (
            <p>{noPeople}</p>
          ) : (
            <ul class="access-list">
              {data.people.map((person) => (
                <PersonRow key={person.id} person={person} onChange={people.refresh} />
              ))}
            </ul>
          )
        }
      </Answered>
    </section>
  );
}

function PersonRow({ person, onChange }: { person: Person; onChange: () => void }) {
  const { id, name, email, role, last_seen_at, this: isYou } = person;
  const texts = accessWords.value;
  const change = async (chosen: string) => {
    await doAndSay(
      () => ask("PATCH", `${ADDRESS}/${id}`, { role: chosen }),
      () => texts.roleChanged(name),
    );
    onChange();
  };
  const remove = async () => {
    const { removePersonQuestion, removePersonStakes, removePerson, personRemoved } = texts;
    if (!(await confirmed(removePersonQuestion(name), removePersonStakes, removePerson))) return;
    const isRemoved = await doAndSay(
      () => ask("DELETE", `${ADDRESS}/${id}`),
      () => personRemoved(name),
    );
    if (isRemoved && isYou) forget();
    else onChange();
  };
  return (
    <li>
      <span>
        <b>{name}</b> {isYou && <span class="this">{texts.you}</span>}
        {email !== null && email !== name && <span class="faint line">{email}</span>}
      </span>
      <span class="faint">
        {last_seen_at === null ? texts.neverSeen : texts.lastSeen(agoOf(last_seen_at))}
      </span>
      {may("owner") ? (
        <span class="buttons">
          <select
            aria-label={words.value.of(texts.role, name)}
            value={role}
            onChange={({ currentTarget }) => change(currentTarget.value)}
          >
            {PERSON_ROLES.map((each) => (
              <option key={each} value={each}>
                {frameWords.value.roles[each]}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="danger"
            aria-label={words.value.of(texts.removePerson, name)}
            onClick={remove}
          >
            {texts.removePerson}
          </button>
        </span>
      ) : (
        <RoleBadge role={role} />
      )}
    </li>
  );
}

import { useEffect, useState } from "preact/hooks";
import { dateTime } from "../format.ts";
import { doAndSay, errorText, say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { changeQuery, query } from "../route.ts";
import { language, words } from "../words.ts";
import { askAsOperator, type ListedUser } from "./operator-api.ts";
import { UserDetail } from "./user-detail.tsx";
import { operatorWords } from "./words.ts";

const PAGE = 100;

interface UsersPage {
  readonly users: readonly ListedUser[];
  readonly next_cursor: string | null;
}

/** Everybody who has an account, page by page. */
export function UsersPart() {
  const [users, setUsers] = useState<readonly ListedUser[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const texts = operatorWords.value;
  const search = query.value.get("user") ?? "";
  const read = async (cursor: string | null, before: readonly ListedUser[]) => {
    try {
      const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await askAsOperator<UsersPage>("GET", `/users?limit=${PAGE}${from}`);
      setUsers([...before, ...page.users]);
      setNext(page.next_cursor);
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  useEffect(() => void read(null, []), []);
  const wanted = search.trim().toLowerCase();
  const shown = users?.filter(
    ({ name, user_id }) => name.toLowerCase().includes(wanted) || user_id.toLowerCase() === wanted,
  );
  return (
    <section class="card">
      <h2>{texts.users}</h2>
      <div class="toolbar">
        <input
          type="search"
          aria-label={texts.search}
          placeholder={texts.search}
          value={search}
          onInput={({ currentTarget: { value } }) =>
            changeQuery({ user: value === "" ? null : value }, "replace")
          }
        />
      </div>
      {users === null && <p class="faint">{words.value.loading}</p>}
      {shown?.length === 0 && <p class="faint">{texts.noUsers}</p>}
      {shown !== undefined && shown.length > 0 && (
        <ul class="operator-users">
          {shown.map((user) => (
            <UserRow key={user.user_id} user={user} onChange={() => read(null, [])} />
          ))}
        </ul>
      )}
      {next !== null && (
        <button type="button" onClick={() => read(next, users ?? [])}>
          {texts.more}
        </button>
      )}
      <NewUser onCreated={() => read(null, [])} />
    </section>
  );
}

function UserRow({ user, onChange }: { user: ListedUser; onChange: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const { standing, look, close } = operatorWords.value;
  return (
    <li>
      <span>
        <b>{user.name}</b> <span class="id">{user.user_id}</span>
      </span>
      <span class={user.standing === "active" ? "faint" : "refused"}>{standing[user.standing]}</span>
      <span class="faint">{dateTime(user.created_at, language.value)}</span>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-label={words.value.of(isOpen ? close : look, user.name)}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? close : look}
      </button>
      {isOpen && <UserDetail user={user} onChange={onChange} />}
    </li>
  );
}

function NewUser({ onCreated }: { onCreated: () => void }) {
  const [name, setName] = useState("");
  const { newUser, create, created } = operatorWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const isCreated = await doAndSay(
      () => askAsOperator("POST", "/users", { name }),
      () => created(name),
    );
    if (!isCreated) return;
    setName("");
    onCreated();
  };
  return (
    <form class="operator-new" onSubmit={submit}>
      <label>
        <span>{newUser}</span>
        <input
          required
          maxLength={200}
          autocomplete="off"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <button type="submit">{create}</button>
    </form>
  );
}

import { useState } from "preact/hooks";
import type { Role } from "../../../accounts/roles.ts";
import { ask } from "../../api.ts";
import { Answered } from "../../parts/answered.tsx";
import { Copyable } from "../../parts/copyable.tsx";
import { TextField } from "../../parts/field.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { useLive } from "../../poll.ts";
import { words } from "../../words.ts";
import type { Invitation } from "./answers.ts";
import { RoleBadge } from "./role-badge.tsx";
import { PERSON_ROLES, RoleChoice } from "./role-choice.tsx";
import { agoOf } from "./times.ts";
import { accessWords } from "./words.ts";

const ADDRESS = "/api/agent/invitations";
const PAUSE_MS = 60_000;

/** Links by which somebody new comes in. */
export function InvitationsCard() {
  const invitations = useLive<{ invitations: readonly Invitation[] }>(ADDRESS, PAUSE_MS);
  const { inviteTitle, inviteHint } = accessWords.value;
  return (
    <section class="card">
      <h2>{inviteTitle}</h2>
      <p class="faint">{inviteHint}</p>
      <Answered of={invitations}>
        {(data) => (
          <ul class="access-list">
            {data.invitations.map((invitation) => (
              <InvitationRow key={invitation.id} invitation={invitation} onChange={invitations.refresh} />
            ))}
          </ul>
        )}
      </Answered>
      <NewInvitation onMade={invitations.refresh} />
    </section>
  );
}

function InvitationRow({ invitation, onChange }: { invitation: Invitation; onChange: () => void }) {
  const { id, name, email, role, made_by, expires_at } = invitation;
  const { invitedBy, takeBack, takenBack, endsIn } = accessWords.value;
  const remove = async () => {
    await doAndSay(
      () => ask("DELETE", `${ADDRESS}/${id}`),
      () => takenBack(name),
    );
    onChange();
  };
  return (
    <li>
      <span>
        <b>{name}</b> <RoleBadge role={role} />
        {email !== null && email !== name && <span class="faint line">{email}</span>}
      </span>
      <span class="faint">
        {invitedBy(made_by)} · {endsIn(agoOf(expires_at))}
      </span>
      <span class="buttons">
        <button type="button" aria-label={words.value.of(takeBack, name)} onClick={remove}>
          {takeBack}
        </button>
      </span>
    </li>
  );
}

function NewInvitation({ onMade }: { onMade: () => void }) {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const [made, setMade] = useState<{ readonly name: string; readonly url: string } | null>(null);
  const texts = accessWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    setMade(null);
    const address = email.trim();
    const isMade = await doAndSay(
      async () => {
        const asked = { name: name.trim(), ...(address === "" ? {} : { email: address }), role };
        setMade(await ask<{ name: string; url: string }>("POST", ADDRESS, asked));
      },
      () => texts.invited(name.trim()),
    );
    if (!isMade) return;
    setName("");
    setEmail("");
    onMade();
  };
  return (
    <>
      <form class="access-form" onSubmit={submit}>
        <TextField
          name="person-name"
          label={words.value.fields.name}
          isRequired
          value={name}
          onChange={setName}
        />
        <TextField
          name="person-email"
          label={texts.email}
          hint={texts.emailHint}
          isOptional
          value={email}
          onChange={setEmail}
        />
        <RoleChoice roles={PERSON_ROLES} chosen={role} onChoose={setRole} />
        <button type="submit" class="primary">
          {texts.invite}
        </button>
      </form>
      {made !== null && (
        <div role="status">
          <p>{texts.linkShownOnce(made.name)}</p>
          <Copyable text={made.url} />
        </div>
      )}
    </>
  );
}

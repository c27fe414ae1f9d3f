import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { dateTime } from "../format.ts";
import { Copyable } from "../parts/copyable.tsx";
import { confirmed } from "../parts/dialog.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { useLive } from "../poll.ts";
import { may } from "../session.ts";
import { language, words } from "../words.ts";

const ADDRESS = "/api/agent/enrollments";
const PAUSE_MS = 30_000;

interface Enrollment {
  readonly id: string;
  readonly name: string;
  readonly state: "active" | "used_up" | "expired";
  readonly uses: number;
  readonly uses_left: number;
  readonly expires_at: string;
  readonly last_used_at: string | null;
}

/** The tokens with which machines register themselves. */
export function EnrollmentsCard() {
  const { data, refresh } = useLive<{ enrollments: readonly Enrollment[] }>(ADDRESS, PAUSE_MS);
  const { enrollments, enrollmentsHint, noEnrollments, loading } = words.value;
  return (
    <section class="card">
      <h2>{enrollments}</h2>
      <p class="faint">{enrollmentsHint}</p>
      {data === null && <p class="faint">{loading}</p>}
      {data?.enrollments.length === 0 && <p>{noEnrollments}</p>}
      <ul class="channels">
        {data?.enrollments.map((enrollment) => (
          <EnrollmentRow key={enrollment.id} enrollment={enrollment} onChange={refresh} />
        ))}
      </ul>
      {may("operator") && <AddEnrollment onAdded={refresh} />}
    </section>
  );
}

function EnrollmentRow({
  enrollment: { id, name, state, uses, uses_left, expires_at, last_used_at },
  onChange,
}: {
  enrollment: Enrollment;
  onChange: () => void;
}) {
  const { revoke, revokeQuestion, revokeStakes, enrollmentState, usesLeft, lastDelivery, neverUsed, of } =
    words.value;
  const onRevoke = async () => {
    if (!(await confirmed(revokeQuestion(name), revokeStakes, revoke))) return;
    await doAndSay(
      () => ask("DELETE", `${ADDRESS}/${id}`),
      () => words.value.done.saved,
    );
    onChange();
  };
  return (
    <li class="connection">
      <span>
        <b>{name}</b>{" "}
        <span class="faint">{enrollmentState[state](dateTime(expires_at, language.value))}</span>
      </span>
      <span class="faint">
        {usesLeft(uses_left, uses)}
        {" · "}
        {lastDelivery}: {last_used_at === null ? neverUsed : dateTime(last_used_at, language.value)}
      </span>
      <span class="buttons">
        {may("operator") && (
          <button type="button" class="danger" aria-label={of(revoke, name)} onClick={onRevoke}>
            {revoke}
          </button>
        )}
      </span>
    </li>
  );
}

function AddEnrollment({ onAdded }: { onAdded: () => void }) {
  const [name, setName] = useState("");
  const [uses, setUses] = useState(10);
  const [days, setDays] = useState(30);
  const [token, setToken] = useState<string | null>(null);
  const { fields, usesLabel, daysLabel, makeEnrollment, enrollWithThis } = words.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const isMade = await doAndSay(
      async () => {
        const made = await ask<{ token: string }>("POST", ADDRESS, { name, uses, expires_in_days: days });
        setToken(made.token);
      },
      () => words.value.done.saved,
    );
    if (!isMade) return;
    setName("");
    onAdded();
  };
  return (
    <>
      <form class="inline" onSubmit={submit}>
        <label>
          <span>{fields.name}</span>
          <input required value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <label>
          <span>{usesLabel}</span>
          <input
            type="number"
            required
            min={1}
            max={1000}
            value={uses}
            onInput={({ currentTarget }) => setUses(currentTarget.valueAsNumber)}
          />
        </label>
        <label>
          <span>{daysLabel}</span>
          <input
            type="number"
            required
            min={1}
            max={365}
            value={days}
            onInput={({ currentTarget }) => setDays(currentTarget.valueAsNumber)}
          />
        </label>
        <button type="submit" class="primary">
          {makeEnrollment}
        </button>
      </form>
      {token !== null && (
        <>
          <p>{enrollWithThis}</p>
          <Copyable text={command(token, location.origin)} />
          <p class="faint">{words.value.tokenShownOnce}</p>
        </>
      )}
    </>
  );
}

function command(token: string, origin: string): string {
  return `curl -fsSLO ${origin}/downloads/agent/latest/dumont-agent && $(command -v sudo) sh dumont-agent install --enroll ${token} --url ${origin}`;
}

import { useState } from "preact/hooks";
import { dateTime, number } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import { Copyable } from "../parts/copyable.tsx";
import { confirmed } from "../parts/dialog.tsx";
import { doAndSay, errorText, say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { language } from "../words.ts";
import { askAsOperator, type Inspection, type ListedUser, useOperator } from "./operator-api.ts";
import { byStatus } from "./service-part.tsx";
import { operatorWords } from "./words.ts";

interface SignInLink {
  readonly url: string;
  readonly expires_at: string;
}

/** A user's fleet, and what the operator can do for the user. */
export function UserDetail({ user, onChange }: { user: ListedUser; onChange: () => void }) {
  const [link, setLink] = useState<SignInLink | null>(null);
  const texts = operatorWords.value;
  const path = `/users/${encodeURIComponent(user.user_id)}`;
  const makeLink = async () => {
    try {
      setLink(await askAsOperator<SignInLink>("POST", `${path}/sign-in-links`, {}));
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  const suspend = async () => {
    if (!(await confirmed(texts.suspendQuestion(user.name), texts.suspendStakes, texts.suspend))) return;
    await doAndSay(
      () => askAsOperator("POST", `${path}/suspend`),
      () => texts.suspended(user.name),
    );
    onChange();
  };
  const resume = async () => {
    await doAndSay(
      () => askAsOperator("POST", `${path}/resume`),
      () => texts.resumed(user.name),
    );
    onChange();
  };
  return (
    <div class="operator-user">
      <FleetFigures path={`${path}/fleet`} />
      <div class="buttons">
        {user.standing === "active" && (
          <>
            <button type="button" onClick={makeLink}>
              {texts.signInLink}
            </button>
            <button type="button" class="danger" onClick={suspend}>
              {texts.suspend}
            </button>
          </>
        )}
        {user.standing === "suspended" && (
          <button type="button" onClick={resume}>
            {texts.resume}
          </button>
        )}
      </div>
      {link !== null && (
        <>
          <Copyable text={link.url} />
          <p class="faint">{texts.linkHint(dateTime(link.expires_at, language.value))}</p>
        </>
      )}
    </div>
  );
}

function FleetFigures({ path }: { path: string }) {
  const fleet = useOperator<Inspection>(path);
  const texts = operatorWords.value;
  const locale = language.value;
  return (
    <Answered of={fleet}>
      {({ instances_by_status, guard, waiting_alerts, waiting_deliveries, deliveries, database_bytes }) => {
        const stuck = deliveries.flatMap(({ postponed_since }) =>
          postponed_since === null ? [] : [postponed_since],
        );
        const [oldest] = stuck.sort();
        return (
          <dl class="operator-figures">
            <div>
              <dt>{texts.instances}</dt>
              <dd>{byStatus(instances_by_status) || texts.noInstances}</dd>
            </div>
            <div class={guard.closed_at === null ? undefined : "bad"}>
              <dt>{texts.fleetGuard}</dt>
              <dd>
                {guard.closed_at === null
                  ? texts.guardOpen
                  : texts.guardClosed(dateTime(guard.closed_at, locale))}
              </dd>
            </div>
            <div>
              <dt>{texts.waitingAlerts}</dt>
              <dd>{number(waiting_alerts.critical + waiting_alerts.others, locale)}</dd>
            </div>
            <div class={oldest === undefined ? undefined : "bad"}>
              <dt>{texts.waitingDeliveries}</dt>
              <dd>
                {number(waiting_deliveries, locale)}
                {oldest !== undefined && (
                  <span class="faint">{texts.stuck(stuck.length, dateTime(oldest, locale))}</span>
                )}
              </dd>
            </div>
            <div>
              <dt>{texts.kept}</dt>
              <dd>{number(database_bytes / 1024, locale, 0)} KB</dd>
            </div>
          </dl>
        );
      }}
    </Answered>
  );
}

import { moneyIn } from "../../lifecycle/model/money.ts";
import { statementOf } from "../../lifecycle/model/say-money.ts";
import { instanceAddress } from "../address.ts";
import { ask } from "../api.ts";
import { dayAndTime } from "../format.ts";
import { doAndSay } from "../parts/notice.tsx";
import { may } from "../session.ts";
import { language, words } from "../words.ts";
import type { AlertAnswer } from "./answers.ts";
import { SnoozeMenu } from "./snoozes.tsx";
import { alertWords } from "./words.ts";

interface AlertEntryProps {
  readonly alert: AlertAnswer;
  /** What can be done about it is offered, and was done. */
  readonly onChange?: () => void;
  /** It can be chosen, to be acknowledged with others. */
  readonly onChoose?: () => void;
  readonly isChosen?: boolean;
}

/** One alert. */
export function AlertEntry({ alert, onChange, onChoose, isChosen = false }: AlertEntryProps) {
  const { id, at, instance_id, kind, severity, message, detail, status, open_since, acknowledged } = alert;
  const said = alertWords.value;
  const statement = statementOf(kind, moneyIn(kind, detail));
  const when = (iso: string) => dayAndTime(iso, language.value);
  const isOpen = onChange !== undefined;
  return (
    <li class={`alert ${severity} ${status}`}>
      <p class="what">
        {isOpen && onChoose !== undefined && status === "open" && may("operator") && (
          <input
            type="checkbox"
            aria-label={said.of(said.choose, alert.name ?? message)}
            checked={isChosen}
            onChange={onChoose}
          />
        )}
        <span class={`severity ${severity}`}>{said.severity[severity]}</span> <b>{words.value.event(kind)}</b>{" "}
        {instance_id !== null && <a href={instanceAddress(instance_id)}>{alert.name ?? instance_id}</a>}{" "}
        <time class="faint" dateTime={at}>
          {isOpen && open_since !== null ? said.since(when(open_since)) : when(at)}
        </time>
        {!isOpen && status !== "over" && <span class="faint"> · {said.status[status]}</span>}
      </p>
      <p>{message}</p>
      {statement !== null && <p class="faint">{words.value.money.ofEvent(statement)}</p>}
      {acknowledged !== null && (
        <p class="faint">{said.acknowledged(acknowledged.by, when(acknowledged.at))}</p>
      )}
      {isOpen && may("operator") && (
        <span class="buttons">
          {status === "open" && <Acknowledge id={id} of={alert.name ?? message} onChange={onChange} />}
          {instance_id !== null && (
            <SnoozeMenu instanceId={instance_id} name={alert.name ?? instance_id} onChange={onChange} />
          )}
        </span>
      )}
    </li>
  );
}

function Acknowledge({ id, of, onChange }: { id: string; of: string; onChange: () => void }) {
  const said = alertWords.value;
  const onClick = async () => {
    await doAndSay(
      () => ask("POST", `/api/agent/alerts/${id}/acknowledge`),
      () => said.nowAcknowledged,
    );
    onChange();
  };
  return (
    <button type="button" aria-label={said.of(said.acknowledge, of)} onClick={onClick}>
      {said.acknowledge}
    </button>
  );
}

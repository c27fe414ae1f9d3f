import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { dateTime, price } from "../format.ts";
import { confirmed } from "../parts/dialog.tsx";
import { InstallCommand } from "../parts/install.tsx";
import { priceOrNull } from "../parts/money.ts";
import { doAndSay } from "../parts/notice.tsx";
import { TagList } from "../parts/tags.tsx";
import { may } from "../session.ts";
import { ConnectionName } from "../settings/connections.tsx";
import { language, words } from "../words.ts";
import { ChangeForm } from "./change-form.tsx";
import type { Detail, PartProps } from "./detail.ts";
import { Figure } from "./figures.tsx";

/** The machine that is watched, its agent and its token. */
export function MachineTab(props: PartProps) {
  return (
    <div class="columns">
      <div>
        <MachineCard {...props} />
      </div>
      <div>{may("operator") && <Access {...props} />}</div>
    </div>
  );
}

/** As its owner has named it. */
function MachineCard({ instance, address, onChange }: PartProps) {
  const [isChanged, setChanged] = useState(false);
  const { figures, fields, providers, instances } = words.value;
  const locale = language.value;
  const dollars = (value: number | null) => (value === null ? "–" : price(value, locale));
  const end = () => {
    setChanged(false);
    onChange();
  };
  if (isChanged) {
    return (
      <section class="card">
        <h2>{instances.machine}</h2>
        <ChangeForm instance={instance} address={address} onEnd={end} />
      </section>
    );
  }
  return (
    <section class="card">
      <header>
        <h2>{instances.machine}</h2>
        {may("operator") && (
          <button type="button" onClick={() => setChanged(true)}>
            {instances.change}
          </button>
        )}
      </header>
      <dl class="figures">
        <Figure name={figures.provider} value={providers[instance.provider]} />
        {instance.connection !== null && (
          <>
            <Figure name={figures.connection} value={<ConnectionName id={instance.connection} />} />
            <Figure name={fields.providerRef} value={instance.provider_ref ?? instance.instance_id} />
          </>
        )}
        <Figure name={fields.hourlyCost} value={dollars(instance.hourly_cost)} />
        <Figure name={fields.hibernatedCost} value={dollars(instance.hibernated_hourly_cost)} />
        <Figure name={figures.registered} value={dateTime(instance.registered_at, locale)} />
      </dl>
      <TagList tags={instance.tags} />
    </section>
  );
}

function Access({ instance, address }: { instance: Detail; address: string }) {
  const { instance_id, name, connection, provider, status, rate } = instance;
  const [token, setToken] = useState<string | null>(null);
  const { access, rotate, rotateQuestion, rotateStakes, remove, removeQuestion, instances, providers, done } =
    words.value;
  const onRotate = async () => {
    if (!(await confirmed(rotateQuestion, rotateStakes, rotate))) return;
    await doAndSay(
      async () => setToken((await ask<{ token: string }>("POST", `${address}/token`)).token),
      () => words.value.event("token_rotated"),
    );
  };
  const onRemove = async () => {
    const stakes = instances.removeStakes(
      connection === null || provider === "webhook" ? null : providers[provider],
      rate === 0 ? null : priceOrNull(rate),
      status === "hibernated",
    );
    if (!(await confirmed(removeQuestion(name), stakes, remove, name))) return;
    const removed = await doAndSay(
      () => ask("DELETE", address),
      () => done.removed(name),
    );
    if (!removed) return;
    refreshFleet();
    location.hash = "#/";
  };
  return (
    <section class="card">
      <h2>{access}</h2>
      <InstallCommand instanceId={instance_id} token={token} />
      <div class="buttons">
        <button type="button" onClick={onRotate}>
          {rotate}
        </button>
        <button type="button" class="danger" onClick={onRemove}>
          {remove}
        </button>
      </div>
    </section>
  );
}

import { useState } from "preact/hooks";
import { instanceAddress } from "../address.ts";
import { fleet } from "../fleet/fleet.ts";
import { Unwatched } from "../fleet/unwatched.tsx";
import { InstallCommand } from "../parts/install.tsx";
import { words } from "../words.ts";
import { type Registered, RegisterForm } from "./register-form.tsx";

/** Register an instance → one command for the machine → its first heartbeat. */
export function AddInstance() {
  const [first] = useState(() => fleet.peek()?.instances.length === 0);
  const [registered, setRegistered] = useState<Registered | null>(null);
  const { welcome, welcomeHint, addInstance } = words.value;
  return (
    <>
      <section class="card narrow">
        <h1>{first ? welcome : addInstance}</h1>
        {registered === null ? (
          <>
            <p class="faint">{welcomeHint}</p>
            <RegisterForm onRegistered={setRegistered} />
          </>
        ) : (
          <Waiting registered={registered} onAnother={() => setRegistered(null)} />
        )}
      </section>
      <Unwatched />
    </>
  );
}

function Waiting({ registered, onAnother }: { registered: Registered; onAnother: () => void }) {
  const { instance_id, token } = registered;
  const live = fleet.value?.instances.find((each) => each.instance_id === instance_id);
  const arrived = live !== undefined && live.last_heartbeat !== null;
  return (
    <>
      <h2>{words.value.runThis}</h2>
      <InstallCommand instanceId={instance_id} token={token} />
      <p role="status" class={arrived ? "arrived" : "waiting"}>
        {arrived ? words.value.arrived(live.name) : words.value.waiting}
      </p>
      <div class="buttons">
        <button type="button" onClick={onAnother}>
          {words.value.addAnother}
        </button>
        <a class="button primary" href={instanceAddress(instance_id)}>
          {words.value.openInstance}
        </a>
      </div>
    </>
  );
}

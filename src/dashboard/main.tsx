import { render } from "preact";
import { useEffect } from "preact/hooks";
import { AlertsPlace } from "./alerts/alerts-place.tsx";
import { simulationSpeed } from "./api.ts";
import { CostsPlace } from "./costs/costs-place.tsx";
import { connection, fleetError } from "./fleet/fleet.ts";
import { FleetPage } from "./fleet/fleet-page.tsx";
import { frameWords } from "./frame/words.ts";
import { AddInstance } from "./instance/add-instance.tsx";
import { InstancePage } from "./instance/instance-page.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { Notice } from "./parts/notice.tsx";
import { Timeline } from "./parts/timeline.tsx";
import { route } from "./route.ts";
import { keepScrolling } from "./scrolling.ts";
import { signOut, userToken } from "./session.ts";
import { SettingsPage } from "./settings/settings-page.tsx";
import { SignIn } from "./sign-in.tsx";
import "./style.css";
import { chooseLanguage, isLanguage, LANGUAGES, language, words } from "./words.ts";

/** The page: sign-in, or the frame around the one place where the user is. */

function App() {
  useEffect(() => {
    document.documentElement.lang = language.value;
    document.title = words.value.title;
  }, [language.value]);
  return (
    <>
      {userToken.value === null ? <SignIn /> : <Frame />}
      <Dialog />
      <Notice />
      {userToken.value === null && <LanguageChoice />}
    </>
  );
}

function Frame() {
  const { skip, title, apiReference, offline } = words.value;
  const { places } = frameWords.value;
  const { page } = route.value;
  const link = (address: string, text: string, current: boolean) => (
    <a href={address} aria-current={current ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <>
      <button type="button" class="skip" onClick={skipToContent}>
        {skip}
      </button>
      <header class="bar">
        <a class="brand" href="#/" aria-label={title}>
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span>Dumont</span>
        </a>
        <nav>
          {link("#/", places.fleet, page === "fleet" || page === "instance" || page === "add")}
          {link("#/alerts", places.alerts, page === "alerts")}
          {link("#/costs", places.costs, page === "costs")}
          {link("#/activity", places.activity, page === "activity")}
          {link("#/settings", places.settings, page === "settings")}
        </nav>
        <span class="end">
          <a href="/docs" class="wide-only">
            {apiReference}
          </a>
          <LanguageChoice />
          <button type="button" onClick={signOut}>
            {words.value.signOut}
          </button>
        </span>
      </header>
      <main id="content" tabIndex={-1}>
        {simulationSpeed.value !== 1 && (
          <p class="simulation" role="alert">
            {words.value.simulation(simulationSpeed.value)}
          </p>
        )}
        {fleetError.value !== null ? <p class="banner">{offline}</p> : <ConnectionBanner />}
        <Place />
      </main>
    </>
  );
}

function ConnectionBanner() {
  const { reconnecting, polling } = words.value;
  switch (connection.value) {
    case "lost":
      return <p class="banner">{reconnecting}</p>;
    case "unavailable":
      return <p class="banner">{polling}</p>;
    case "connecting":
    case "connected":
      return null;
  }
}

function Place() {
  const at = route.value;
  switch (at.page) {
    case "fleet":
      return <FleetPage />;
    case "instance":
      return <InstancePage key={at.instanceId} instanceId={at.instanceId} />;
    case "add":
      return <AddInstance />;
    case "activity":
      return (
        <section class="card narrow">
          <h1>{words.value.activity}</h1>
          <Timeline path="/api/agent/events" withInstance />
        </section>
      );
    case "costs":
      return <CostsPlace />;
    case "settings":
      return <SettingsPage section={at.section} />;
    case "alerts":
      return <AlertsPlace />;
    // These have no page of their own yet.
    case "operator":
    case "sign-in":
      return <FleetPage />;
  }
}

function LanguageChoice() {
  return (
    <select
      class="language"
      aria-label={words.value.language}
      value={language.value}
      onChange={({ currentTarget }) => {
        if (isLanguage(currentTarget.value)) chooseLanguage(currentTarget.value);
      }}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** By hand, since the address's fragment is the route. */
function skipToContent(): void {
  document.getElementById("content")?.focus();
}

keepScrolling();

const page = document.getElementById("page");
if (page !== null) render(<App />, page);

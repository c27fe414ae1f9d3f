import type { ComponentChildren } from "preact";
import { simulationSpeed } from "../api.ts";
import { connection, fleetError } from "../fleet/fleet.ts";
import { operatorToken } from "../operator/operator-token.ts";
import { route } from "../route.ts";
import { signedIn } from "../session.ts";
import { words } from "../words.ts";
import { AccountMenu } from "./account-menu.tsx";
import "./frame.css";
import { LanguageChoice } from "./language-choice.tsx";
import { ProblemBanner } from "./problem-banner.tsx";
import { UntoldBanner } from "./untold-banner.tsx";
import { frameWords } from "./words.ts";

/** What stands around each place: where one can go, and who one is. */
export function Frame({ children }: { children: ComponentChildren }) {
  const { skip, title, offline } = words.value;
  const isSignedIn = typeof signedIn.value === "number";
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
        <Navigation isSignedIn={isSignedIn} />
        <span class="end">{isSignedIn ? <AccountMenu /> : <LanguageChoice />}</span>
      </header>
      <main id="content" tabIndex={-1}>
        {simulationSpeed.value !== 1 && (
          <p class="simulation" role="alert">
            {words.value.simulation(simulationSpeed.value)}
          </p>
        )}
        {fleetError.value !== null ? <p class="banner">{offline}</p> : <ConnectionBanner />}
        {isSignedIn && <UntoldBanner />}
        {isSignedIn && <ProblemBanner />}
        {children}
      </main>
    </>
  );
}

function Navigation({ isSignedIn }: { isSignedIn: boolean }) {
  const { places, navigation } = frameWords.value;
  const { page } = route.value;
  const link = (address: string, text: string, isHere: boolean) => (
    <a href={address} aria-current={isHere ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <nav aria-label={navigation}>
      {isSignedIn && (
        <>
          {link("#/", places.fleet, page === "fleet" || page === "instance" || page === "add")}
          {link("#/alerts", places.alerts, page === "alerts")}
          {link("#/costs", places.costs, page === "costs")}
          {link("#/activity", places.activity, page === "activity")}
          {link("#/settings", places.settings, page === "settings")}
        </>
      )}
      {(operatorToken.value !== null || page === "operator") &&
        link("#/operator", places.operator, page === "operator")}
    </nav>
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

/** By hand, since the address's fragment is the route. */
function skipToContent(): void {
  document.getElementById("content")?.focus();
}

import { render } from "preact";
import { useEffect } from "preact/hooks";
import { AlertsPlace } from "./alerts/alerts-place.tsx";
import { CostsPlace } from "./costs/costs-place.tsx";
import { FleetPage } from "./fleet/fleet-page.tsx";
import { Frame } from "./frame/frame.tsx";
import { placeTitle } from "./frame/title.ts";
import { AddInstance } from "./instance/add-instance.tsx";
import { InstancePage } from "./instance/instance-page.tsx";
import { OperatorPlace } from "./operator/operator-place.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { Notice } from "./parts/notice.tsx";
import { Timeline } from "./parts/timeline.tsx";
import { route } from "./route.ts";
import { keepScrolling } from "./scrolling.ts";
import { signedIn } from "./session.ts";
import { SettingsPage } from "./settings/settings-page.tsx";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { watchSession } from "./sign-in/signing-in.ts";
import "./style.css";
import { language, words } from "./words.ts";

/** The page: sign-in, or the frame around the one place where the user is. */

function App() {
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  const title = placeTitle(route.value);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <Shown />
      <Dialog />
      <Notice />
    </>
  );
}

function Shown() {
  const { page } = route.value;
  if (page === "operator") {
    return (
      <Frame>
        <OperatorPlace />
      </Frame>
    );
  }
  if (signedIn.value === undefined) return <main id="content" />;
  if (signedIn.value === null || page === "sign-in") return <SignInPage />;
  // Nothing of the one who was signed in before is shown to the next.
  return (
    <Frame key={signedIn.value}>
      <Place />
    </Frame>
  );
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
    case "operator":
    case "sign-in":
      return null;
  }
}

watchSession();
keepScrolling();

const page = document.getElementById("page");
if (page !== null) render(<App />, page);

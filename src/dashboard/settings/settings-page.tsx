import { SETTINGS_SECTIONS, type SettingsSection, settingsAddress } from "../address.ts";
import { frameWords } from "../frame/words.ts";
import { AccessPlace } from "./access/access-place.tsx";
import { AccountPlace } from "./account/account-place.tsx";
import { Channels } from "./channels/channels.tsx";
import { EnrollmentsCard } from "./enrollments.tsx";
import { PolicySection } from "./policy-section.tsx";
import { ProvidersPlace } from "./providers/providers-place.tsx";
import "./settings.css";

/** The settings, a section at a time. */
export function SettingsPage({ section }: { section: SettingsSection }) {
  const { places, section: names, sections } = frameWords.value;
  return (
    <>
      <h1>{places.settings}</h1>
      <div class="settings">
        <nav class="sections" aria-label={sections}>
          {SETTINGS_SECTIONS.map((each) => (
            <a key={each} href={settingsAddress(each)} aria-current={each === section ? "page" : undefined}>
              {names[each]}
            </a>
          ))}
        </nav>
        <div class="of-section">
          <Section section={section} />
        </div>
      </div>
    </>
  );
}

function Section({ section }: { section: SettingsSection }) {
  switch (section) {
    case "policy":
      return <PolicySection />;
    case "providers":
      return (
        <>
          <ProvidersPlace />
          <EnrollmentsCard />
        </>
      );
    case "channels":
      return <Channels />;
    case "access":
      return <AccessPlace />;
    case "account":
      return <AccountPlace />;
  }
}

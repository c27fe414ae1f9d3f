import { useRef } from "preact/hooks";
import { settingsAddress } from "../address.ts";
import { Choices } from "../parts/choices.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { whoami } from "../session.ts";
import { signOut } from "../sign-in/signing-in.ts";
import { words } from "../words.ts";
import { LanguageChoice } from "./language-choice.tsx";
import { chooseTheme, THEMES, theme } from "./theme.ts";
import { frameWords } from "./words.ts";

/** Who is signed in, and what is theirs alone: language, look, the way out. */
export function AccountMenu() {
  const menu = useRef<HTMLDivElement>(null);
  const { account, roles, themeLabel, themes, accountSettings } = frameWords.value;
  const { apiReference, signOut: out, language } = words.value;
  const who = whoami.value ?? null;
  const close = () => menu.current?.hidePopover();
  const leave = () => {
    close();
    void doAndSay(signOut, () => frameWords.value.signedOut);
  };
  return (
    <>
      <button type="button" class="account" popovertarget="account-menu">
        <span class="hidden">{account}</span>
        <span class="initial" aria-hidden="true">
          {(who?.user.name ?? "").slice(0, 1).toUpperCase()}
        </span>
        <span class="wide-only">{who?.user.name}</span>
      </button>
      <div id="account-menu" class="account-menu" popover="auto" ref={menu}>
        {who !== null && (
          <p>
            <b>{who.by.name}</b> <span class="role">{roles[who.role]}</span>
            <span class="faint">{who.user.name}</span>
          </p>
        )}
        <div class="look">
          <span aria-hidden="true">{language}</span>
          <LanguageChoice />
        </div>
        <div class="look">
          <span aria-hidden="true">{themeLabel}</span>
          <Choices
            label={themeLabel}
            choices={THEMES}
            names={themes}
            chosen={theme.value}
            onChoose={chooseTheme}
          />
        </div>
        <a href={settingsAddress("account")} onClick={close}>
          {accountSettings}
        </a>
        <a href="/docs">{apiReference}</a>
        <button type="button" onClick={leave}>
          {out}
        </button>
      </div>
    </>
  );
}

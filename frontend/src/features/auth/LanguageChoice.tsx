import { useId } from "react";
import { choose, isLanguage, language, LANGUAGES, t } from "@/lib/language";
import { useValue } from "@/lib/store";
import styles from "./AccountPanel.module.css";

/** The language of the page, for this browser: each stands there as it calls itself. */
export function LanguageChoice() {
  const id = useId();
  const now = useValue(language);
  return (
    <p className={styles.language}>
      <label htmlFor={id}>{t("Language")}</label>
      <select id={id} value={now} onChange={({ target }) => isLanguage(target.value) && void choose(target.value)}>
        {Object.entries(LANGUAGES).map(([each, name]) => <option key={each} value={each} lang={each}>{name}</option>)}
      </select>
    </p>
  );
}

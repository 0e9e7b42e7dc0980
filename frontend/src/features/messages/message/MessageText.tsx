import { memo, useState } from "react";
import { language, t } from "@/lib/language";
import { useValue } from "@/lib/store";
import { isEmojiOnly, isTall, piecesOf } from "./text";
import styles from "./MessageText.module.css";

interface Props {
  text: string;
  reachable?: boolean;
}

export const MessageText = memo(function MessageText({ text, reachable = true }: Props) {
  useValue(language);
  const [whole, setWhole] = useState(false);
  const tall = isTall(text);
  const look = `${styles.text} ${isEmojiOnly(text) ? styles.large : ""} ${tall && !whole ? styles.cut : ""}`;
  return (
    <>
      {/* Another text is another element: of this one a translation has replaced what React would change. */}
      <div key={text} className={look} data-testid="message-text" dir="auto">
        {piecesOf(text).map((piece, index) =>
          piece.link ? (
            <a key={index} href={piece.href} dir="ltr" tabIndex={reachable ? 0 : -1} target="_blank"
              rel="noopener noreferrer">
              {piece.text}
            </a>
          ) : (
            piece.text
          ),
        )}
      </div>
      {tall && (
        <button type="button" className={styles.more} tabIndex={reachable ? 0 : -1} aria-expanded={whole}
          onClick={() => setWhole(!whole)}>
          {whole ? t("Show less") : t("Show more")}
        </button>
      )}
    </>
  );
});

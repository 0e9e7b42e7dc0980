import { useEffect } from "react";
import { t } from "@/lib/language";
import { useWord } from "@/lib/useWord";
import styles from "@/components/ui/Bar.module.css";

/** That files cannot be sent yet, for a moment, to whoever pastes or drops one. */
export function FilesWord() {
  const [word, say] = useWord();
  useFiles(say);
  return <div role="status" className={word ? styles.line : undefined}>{word}</div>;
}

/** A picture that is pasted, or a file that is dropped, is answered: nothing vanishes, and the page stays. */
function useFiles(say: (word: string) => void): void {
  useEffect(() => {
    const brings = (brought: DataTransfer | null) => brought?.types.includes("Files") && !brought.getData("text/plain");
    const over = (event: DragEvent) => brings(event.dataTransfer) && event.preventDefault();
    const brought = (event: Event, data: DataTransfer | null) => {
      if (!brings(data)) return;
      event.preventDefault();
      say(t("Files can’t be sent yet."));
    };
    const pasted = (event: ClipboardEvent) => brought(event, event.clipboardData);
    const dropped = (event: DragEvent) => brought(event, event.dataTransfer);
    document.addEventListener("paste", pasted);
    document.addEventListener("dragover", over);
    document.addEventListener("drop", dropped);
    return () => {
      document.removeEventListener("paste", pasted);
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", dropped);
    };
  }, [say]);
}

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { createSession } from "@/features/auth/session";
import { startTheme } from "@/lib/theme";
import { Boundary } from "@/components/ui/Boundary";
import { startLanguage } from "@/lib/language";
import { App } from "./App";
import "./tokens.css";
import "./base.css";

startTheme();
if (import.meta.env.PROD) {
  addEventListener("load", () => void navigator.serviceWorker?.register("/sw.js").catch(() => {}));
}
const session = createSession();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const page = createRoot(root);
// Nothing is shown in one language first and in another then.
void startLanguage().then(() =>
  page.render(
    <StrictMode>
      <BrowserRouter>
        <Boundary>
          <App session={session} />
        </Boundary>
      </BrowserRouter>
    </StrictMode>,
  ),
);

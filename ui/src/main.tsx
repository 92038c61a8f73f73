import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import "./styles/tokens.css";
import "./styles/base.css";
import { queries } from "./api/queries";
import { App } from "./app";
import { Toasts } from "./kit/toast";

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Toasts>
        <BrowserRouter>
          <App />
        </BrowserRouter>
      </Toasts>
    </QueryClientProvider>
  </StrictMode>,
);

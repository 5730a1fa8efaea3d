import { render } from "preact";
import { App } from "./shell/app.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/lists.css";
import "./styles/drawn.css";
import { loadMe } from "./state/session.js";

void loadMe();
render(<App />, document.getElementById("app") as HTMLElement);

import { ActionDialog } from "../components/action_dialog.js";
import { Failure } from "../components/states.js";
import { loadMe, me, meFailure } from "../state/session.js";
import { Boundary } from "./boundary.js";
import { CurrentPage } from "./current_page.js";
import { Navigation } from "./navigation.js";
import { ServersAway } from "./servers_away.js";
import { SignIn } from "./sign_in.js";
import { Top } from "./top.js";

/** The page around all pages; until somebody is signed in it asks for that. */
export function App() {
  if (me.value === undefined) {
    return (
      <main class="alone">
        <h1>Payments console</h1>
        {meFailure.value ? (
          <Failure error={meFailure.value} retry={() => void loadMe()} />
        ) : (
          <p class="quiet">Loading …</p>
        )}
      </main>
    );
  }
  return me.value.role === null ? <SignIn /> : <Shell />;
}

function Shell() {
  return (
    <div class="shell">
      <Top />
      <Navigation />
      <main id="main" tabIndex={-1}>
        <ServersAway />
        <Boundary>
          <CurrentPage />
        </Boundary>
      </main>
      <ActionDialog />
    </div>
  );
}

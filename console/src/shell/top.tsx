import { useEffect } from "preact/hooks";
import { Mark, type Tone } from "../components/states.js";
import type { Liveness } from "../lib/live_stream.js";
import { clockText } from "../lib/text.js";
import { goLive, liveness, overview, pauseLive, refusal } from "../state/live.js";
import { me, signOut } from "../state/session.js";
import { menuOpen } from "./navigation.js";

const LIVENESS: Readonly<Record<Liveness, readonly [tone: Tone, text: string]>> = {
  connecting: ["idle", "Connecting"],
  live: ["good", "Live"],
  away: ["bad", "Stale: no connection"],
  paused: ["warn", "Paused"],
};
const REFUSED = ["warn", "Not live: refused"] as const;

/** The bar above all: name, whether what is shown is live, who looks. */
export function Top() {
  useEffect(() => {
    goLive();
    return pauseLive;
  }, []);
  return (
    <header class="top">
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the page
      </button>
      <button
        type="button"
        class="menu"
        aria-expanded={menuOpen.value}
        aria-controls="navigation"
        onClick={() => {
          menuOpen.value = !menuOpen.value;
        }}
      >
        Menu
      </button>
      <a class="brand" href="#/">
        Payments
      </a>
      <LiveState />
      <Who />
    </header>
  );
}

/** The clock stands beside what is announced, or a screen reader would tell it each second. */
function LiveState() {
  const [tone, text] = refusal.value ? REFUSED : LIVENESS[liveness.value];
  const paused = liveness.value === "paused";
  const asOf = overview.value?.as_of;
  return (
    <div class="live">
      <span role="status">
        <Mark tone={tone} /> {text}
      </span>
      {asOf && <span class="quiet num">{clockText(Date.parse(asOf))} UTC</span>}
      <button type="button" onClick={paused ? goLive : pauseLive}>
        {paused ? "Resume" : "Pause"}
      </button>
    </div>
  );
}

function Who() {
  const { name, role, password } = me.value ?? {};
  return (
    <div class="who">
      <span class="quiet">{name?.startsWith(role ?? "") ? name : `${name ?? "nobody"}, ${role}`}</span>
      {password && (
        <button type="button" onClick={() => void signOut().catch(() => undefined)}>
          Sign out
        </button>
      )}
    </div>
  );
}

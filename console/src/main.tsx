import { signal } from "@preact/signals";
import { render } from "preact";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const n = signal(0);
function App() {
  return (
    <button type="button" onClick={() => n.value++}>
      {n} {typeof uPlot}
    </button>
  );
}
render(<App />, document.getElementById("app") as HTMLElement);

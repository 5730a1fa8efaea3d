import { Page } from "../components/page.js";
import { Empty } from "../components/states.js";
import { match } from "../lib/route.js";
import { PAGES } from "../pages/pages.js";
import { place } from "../state/place.js";

export function CurrentPage() {
  const { path, query } = place.value;
  for (const { pattern, page: Current } of PAGES) {
    const params = match(pattern, path);
    if (params !== undefined) {
      // Another thing is another page; other filters are the same one.
      return <Current key={path.join("/")} params={params} query={query} />;
    }
  }
  return (
    <Page title="No such page">
      <Empty>
        The console has no page of this address. <a href="#/">Go to the overview</a>
      </Empty>
    </Page>
  );
}

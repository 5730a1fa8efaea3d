import { Component, type ComponentChildren } from "preact";
import { place } from "../state/place.js";

/** A page that fails on what it was told leaves the rest of the console standing; another page begins anew. */
export class Boundary extends Component<
  { readonly children: ComponentChildren },
  { readonly failed?: Error }
> {
  #at = place.value;

  override componentDidCatch(failed: Error): void {
    this.#at = place.value;
    this.setState({ failed });
  }

  override render() {
    const { failed } = this.state;
    if (failed === undefined || this.#at !== place.value) {
      return this.props.children;
    }
    return (
      <div class="notice bad" role="alert">
        <p>This page could not be shown: {failed.message}</p>
        <button type="button" onClick={() => location.reload()}>
          Load the console again
        </button>
      </div>
    );
  }
}

import { computed, signal } from "@preact/signals";
import type { Me, SignIn } from "../../../services/console/contracts/session.js";
import { get, onRefusal, post, remove } from "../lib/api.js";
import type { ApiError } from "../lib/problem.js";

/** Who looks at the page; undefined: not known yet. */
export const me = signal<Me | undefined>(undefined);
export const meFailure = signal<ApiError | undefined>(undefined);
export const mayAct = computed(() => me.value?.role === "operator");

export async function loadMe(): Promise<void> {
  meFailure.value = undefined;
  try {
    me.value = await get<Me>("me");
  } catch (error) {
    meFailure.value = error as ApiError;
  }
}

/** @throws ApiError */
export async function signIn(answer: SignIn): Promise<void> {
  me.value = await post<Me>("session", answer);
}

/** @throws ApiError */
export async function signOut(): Promise<void> {
  me.value = await remove<Me>("session");
}

// A session that has ended shows by the next request, whichever it is.
onRefusal(({ code }) => {
  if (code === "CONSOLE_SIGNED_OUT" && me.value?.role !== null) {
    void loadMe();
  }
});

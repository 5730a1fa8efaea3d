import { useEffect, useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { Failure } from "../components/states.js";
import type { ApiError } from "../lib/problem.js";
import { signIn } from "../state/session.js";

/** Asked of whoever comes from beyond loopback. */
export function SignIn() {
  const [error, setError] = useState<ApiError | undefined>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Sign in · Payments console";
  }, []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [name, password] = [String(form.get("name")).trim(), String(form.get("password"))];
    setBusy(true);
    setError(undefined);
    await signIn(name === "" ? { password } : { password, name }).catch(setError);
    setBusy(false);
  };
  return (
    <main class="alone">
      <h1>Payments console</h1>
      <form onSubmit={submit}>
        <Field
          label="Your name"
          hint="for the record of what is done"
          name="name"
          autoComplete="username"
          maxLength={100}
        />
        <Field label="Password" name="password" type="password" autoComplete="current-password" required />
        {error && <Failure error={error} />}
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy}>
            Sign in
          </button>
        </div>
      </form>
    </main>
  );
}

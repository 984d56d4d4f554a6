import Link from 'next/link';

import { signUp } from '../actions';

interface Props {
  searchParams: Promise<{ error?: string; message?: string }>;
}

export default async function SignupPage({ searchParams }: Props) {
  const { error, message } = await searchParams;
  return (
    <main>
      <h1>Create an account</h1>
      {error && <p role="alert">{error}</p>}
      {message && <p role="status">{message}</p>}
      <form action={signUp}>
        <label>
          E-mail
          <input name="email" type="email" autoComplete="email" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="new-password" minLength={8} required />
        </label>
        <button type="submit">Create an account</button>
      </form>
      <p>
        <Link href="[[page .LOGIN_PATH]]">Sign in instead</Link>
      </p>
    </main>
  );
}

import Link from 'next/link';

import { signIn } from '[[from (print .APP_DIR (page .LOGIN_PATH)) (print .APP_DIR "/auth/actions")]]';

interface Props {
  searchParams: Promise<{ error?: string; message?: string }>;
}

export default async function LoginPage({ searchParams }: Props) {
  const { error, message } = await searchParams;
  return (
    <main>
      <h1>Sign in</h1>
      {error && <p role="alert">{error}</p>}
      {message && <p role="status">{message}</p>}
      <form action={signIn}>
        <label>
          E-mail
          <input name="email" type="email" autoComplete="email" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit">Sign in</button>
      </form>
      <p>
        <Link href="/auth/signup">Create an account</Link>
      </p>
    </main>
  );
}

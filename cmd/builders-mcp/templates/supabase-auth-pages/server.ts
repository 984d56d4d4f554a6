import { createServerClient } from '@supabase/ssr';
import { cookies } from 'next/headers';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`the environment variable ${name} is not set`);
  }
  return value;
}

// createClient returns a Supabase client for the user of the current request.
export async function createClient() {
  const store = await cookies();
  return createServerClient(setting('NEXT_PUBLIC_SUPABASE_URL'), setting('NEXT_PUBLIC_SUPABASE_ANON_KEY'), {
    cookies: {
      getAll: () => store.getAll(),
      setAll(list) {
        try {
          for (const { name, value, options } of list) {
            store.set(name, value, options);
          }
        } catch {
          // A server component cannot set cookies; the next action or route does.
        }
      },
    },
  });
}

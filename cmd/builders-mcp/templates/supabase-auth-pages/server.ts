import { createServerClient } from '@supabase/ssr';
import { cookies } from 'next/headers';

import { settings } from './settings';

// createClient returns a Supabase client for the user of the current request. Make one
// for each request, never one for all.
export async function createClient() {
  const { url, key } = settings();
  const store = await cookies();
  return createServerClient(url, key, {
    cookies: {
      getAll: () => store.getAll(),
      setAll(list) {
        try {
          for (const { name, value, options } of list) {
            store.set(name, value, options);
          }
        } catch {
          // A server component cannot set cookies; the middleware does it for the next
          // request.
        }
      },
    },
  });
}

import { createServerClient } from '@supabase/ssr';
import { NextResponse, type NextRequest } from 'next/server';

import { settings } from './settings';

const loginPage: string = '[[page .LOGIN_PATH]]';
const protectedPage: string = '[[page .DASHBOARD_PATH]]';

function isProtected(path: string): boolean {
  return path === protectedPage || path.startsWith(`${protectedPage}/`);
}

function isOpen(path: string): boolean {
  return path === loginPage || path.startsWith('/auth/');
}

// updateSession renews the session's cookies, and sends who is not signed in from
// protected pages to the sign-in page.
export async function updateSession(request: NextRequest): Promise<NextResponse> {
  const { url, key } = settings();
  let response = NextResponse.next({ request });
  const uncached = new Headers(); // a session's cookies are for one user, not for a cache
  const supabase = createServerClient(url, key, {
    cookies: {
      getAll: () => request.cookies.getAll(),
      setAll(list, headers) {
        for (const { name, value } of list) {
          request.cookies.set(name, value);
        }
        // The page sees the new cookies, and the browser gets them.
        response = NextResponse.next({ request });
        for (const { name, value, options } of list) {
          response.cookies.set(name, value, options);
        }
        for (const [name, value] of Object.entries(headers)) {
          uncached.set(name, value);
        }
      },
    },
  });
  // Checks the token's signature, and renews it when it is about to expire.
  const { data } = await supabase.auth.getClaims();
  const path = request.nextUrl.pathname;
  if (!data?.claims && isProtected(path) && !isOpen(path)) {
    const login = request.nextUrl.clone();
    login.pathname = loginPage;
    login.search = '';
    const away = NextResponse.redirect(login);
    for (const cookie of response.cookies.getAll()) {
      away.cookies.set(cookie);
    }
    response = away;
  }
  uncached.forEach((value, name) => response.headers.set(name, value));
  return response;
}

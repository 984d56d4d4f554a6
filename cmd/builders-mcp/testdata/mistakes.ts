// Each of these lines is wrong. Were one accepted, tsc would say that its comment is of
// no use: so what checks the generated code checks something.
import { createServerClient } from '@supabase/ssr';
import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { NextResponse, type NextRequest } from 'next/server';

export async function mistakes(request: NextRequest) {
  // @ts-expect-error a promise has no such function
  cookies().getAll();
  // @ts-expect-error a number is no address
  NextResponse.redirect(7);
  // @ts-expect-error an address has no such member
  request.nextUrl.pathName = '/';
  // @ts-expect-error it needs a key and a way to cookies
  const client = createServerClient('https://example.com');
  // @ts-expect-error a password is missing
  await client.auth.signInWithPassword({ email: 'ada@example.com' });
  // @ts-expect-error it takes an address
  redirect();
}

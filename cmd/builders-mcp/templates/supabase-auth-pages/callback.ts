import { NextResponse, type NextRequest } from 'next/server';

import { createClient } from '[[from (print .APP_DIR "/auth/callback") (print .LIB_DIR "/server")]]';

// GET /auth/callback?code=… ends a sign-in that began in a mail.
export async function GET(request: NextRequest): Promise<NextResponse> {
  const code = request.nextUrl.searchParams.get('code');
  if (code) {
    const supabase = await createClient();
    const { error } = await supabase.auth.exchangeCodeForSession(code);
    if (!error) {
      return NextResponse.redirect(new URL('[[page .DASHBOARD_PATH]]', request.nextUrl.origin));
    }
  }
  const login = new URL('[[page .LOGIN_PATH]]', request.nextUrl.origin);
  login.searchParams.set('error', 'The link is not valid any more.');
  return NextResponse.redirect(login);
}

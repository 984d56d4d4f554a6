import { NextResponse, type NextRequest } from 'next/server';

import { createClient } from '[[from (print .APP_DIR "/auth/signout") (print .LIB_DIR "/server")]]';

// POST /auth/signout
export async function POST(request: NextRequest): Promise<NextResponse> {
  const supabase = await createClient();
  await supabase.auth.signOut();
  return NextResponse.redirect(new URL('[[page .LOGIN_PATH]]', request.nextUrl.origin), { status: 303 });
}

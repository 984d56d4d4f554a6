import type { NextRequest, NextResponse } from 'next/server';

import { updateSession } from '[[from (beside .APP_DIR) (print .LIB_DIR "/session")]]';

export async function [[middleware .NEXT_RELEASE]](request: NextRequest): Promise<NextResponse> {
  return updateSession(request);
}

export const config = {
  // Everything but what is the same for everyone.
  matcher: ['/((?!_next/static|_next/image|favicon.ico|.*\\.(?:svg|png|jpg|jpeg|gif|webp|ico)$).*)'],
};

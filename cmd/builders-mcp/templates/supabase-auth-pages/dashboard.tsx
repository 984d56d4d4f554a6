import { redirect } from 'next/navigation';

import { SignOutButton } from '[[from (print .APP_DIR (page .DASHBOARD_PATH)) (print .APP_DIR "/auth/sign-out-button")]]';
import { createClient } from '[[from (print .APP_DIR (page .DASHBOARD_PATH)) (print .LIB_DIR "/server")]]';

export default async function DashboardPage() {
  const supabase = await createClient();
  const { data } = await supabase.auth.getClaims();
  if (!data?.claims) {
    redirect('[[page .LOGIN_PATH]]');
  }
  return (
    <main>
      <h1>Dashboard</h1>
      <p>Signed in as {data.claims.email ?? data.claims.sub}</p>
      <SignOutButton />
    </main>
  );
}

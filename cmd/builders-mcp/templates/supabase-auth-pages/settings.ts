// The project's public address and key: https://supabase.com/dashboard → Settings → API.
export interface Settings {
  url: string;
  key: string;
}

export function settings(): Settings {
  // Next.js puts NEXT_PUBLIC_ variables in place by their literal names.
  const url = process.env.NEXT_PUBLIC_SUPABASE_URL;
  const key = process.env.NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY ?? process.env.NEXT_PUBLIC_SUPABASE_ANON_KEY;
  if (!url) {
    throw new Error('the environment variable NEXT_PUBLIC_SUPABASE_URL is not set');
  }
  if (!key) {
    throw new Error('the environment variable NEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY is not set');
  }
  return { url, key };
}

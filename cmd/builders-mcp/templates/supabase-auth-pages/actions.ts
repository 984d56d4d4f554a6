'use server';

import { revalidatePath } from 'next/cache';
import { headers } from 'next/headers';
import { redirect } from 'next/navigation';

import { createClient } from '[[from (print .APP_DIR "/auth") (print .LIB_DIR "/server")]]';

interface Credentials {
  email: string;
  password: string;
}

const loginPage = '[[page .LOGIN_PATH]]';
const minPassword = 8;

function credentials(form: FormData): Credentials | null {
  const email = form.get('email');
  const password = form.get('password');
  if (typeof email !== 'string' || typeof password !== 'string') {
    return null;
  }
  if (!email.includes('@') || password === '') {
    return null;
  }
  return { email: email.trim(), password };
}

function back(page: string, error: string): never {
  redirect(`${page}?error=${encodeURIComponent(error)}`);
}

export async function signIn(form: FormData): Promise<void> {
  const given = credentials(form);
  if (!given) {
    back(loginPage, 'Enter your e-mail address and your password.');
  }
  const supabase = await createClient();
  const { error } = await supabase.auth.signInWithPassword(given);
  if (error) {
    back(loginPage, error.message);
  }
  revalidatePath('/', 'layout'); // what was shown to nobody in particular
  redirect('[[page .DASHBOARD_PATH]]');
}

export async function signUp(form: FormData): Promise<void> {
  const given = credentials(form);
  if (!given || given.password.length < minPassword) {
    back('/auth/signup', `Enter an e-mail address and a password of at least ${minPassword} characters.`);
  }
  const origin = (await headers()).get('origin') ?? '';
  const supabase = await createClient();
  const { data, error } = await supabase.auth.signUp({
    ...given,
    options: { emailRedirectTo: `${origin}/auth/callback` },
  });
  if (error) {
    back('/auth/signup', error.message);
  }
  if (data.session) {
    // The project asks nobody to confirm an address.
    revalidatePath('/', 'layout');
    redirect('[[page .DASHBOARD_PATH]]');
  }
  redirect(`${loginPage}?message=${encodeURIComponent('Follow the link in the mail that we have sent you.')}`);
}

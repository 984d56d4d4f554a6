'use server';

import { redirect } from 'next/navigation';

import { createClient } from '[[up .APP_DIR 1]][[.LIB_DIR]]/server';

interface Credentials {
  email: string;
  password: string;
}

function credentials(form: FormData): Credentials | null {
  const email = form.get('email');
  const password = form.get('password');
  if (typeof email !== 'string' || typeof password !== 'string' || !email.includes('@') || password.length < 8) {
    return null;
  }
  return { email, password };
}

function back(page: string, error: string): never {
  redirect(`/auth/${page}?error=${encodeURIComponent(error)}`);
}

export async function signIn(form: FormData): Promise<void> {
  const given = credentials(form);
  if (!given) {
    back('login', 'Enter an e-mail address and a password of at least 8 characters.');
  }
  const supabase = await createClient();
  const { error } = await supabase.auth.signInWithPassword(given);
  if (error) {
    back('login', error.message);
  }
  redirect('[[.AFTER_SIGN_IN]]');
}

export async function signUp(form: FormData): Promise<void> {
  const given = credentials(form);
  if (!given) {
    back('signup', 'Enter an e-mail address and a password of at least 8 characters.');
  }
  const supabase = await createClient();
  const { error } = await supabase.auth.signUp(given);
  if (error) {
    back('signup', error.message);
  }
  redirect('/auth/login?message=' + encodeURIComponent('Follow the link in the mail that we have sent you.'));
}

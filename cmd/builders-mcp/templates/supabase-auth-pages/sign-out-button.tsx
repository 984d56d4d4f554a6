// A form, so that signing out is a POST, which no link or prefetch sends by accident.
export function SignOutButton() {
  return (
    <form action="/auth/signout" method="post">
      <button type="submit">Sign out</button>
    </form>
  );
}

const response = await fetch('/api/jobs', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    type: 'build',
    payload: {
      action: 'apply_builder',
      id: 'supabase-auth-pages',
      variables: {
        LOGIN_PATH: 'login',
        DASHBOARD_PATH: 'dashboard'
      }
    }
  })
});

const data = await response.json();
console.log('Job ID:', data.result.id);

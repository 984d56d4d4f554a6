const response = await fetch('/api/jobs', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    type: 'deploy',
    payload: {
      verb: 'up',
      composePath: '/srv/app/compose.yml',
      extraArgs: ['-d']
    }
  })
});

async function cancelJob(jobId: string) {
  const response = await fetch(`/api/jobs/${jobId}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ action: 'cancel' })
  });

  const data = await response.json();
  if (data.ok) {
    console.log('Job canceled');
  } else {
    console.log('Could not cancel job (may have completed)');
  }
}

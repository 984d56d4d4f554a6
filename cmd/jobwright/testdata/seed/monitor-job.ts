async function monitorJob(jobId: string) {
  const response = await fetch(`/api/jobs/${jobId}`);
  const data = await response.json();

  if (data.ok) {
    const job = data.result.job;
    console.log(`Status: ${job.status} (${job.pct}%)`);
    console.log(`Step: ${job.step}`);
    console.log('Logs:', job.logs.join('\n'));

    if (job.status === 'running' || job.status === 'queued') {
      // Poll again in 1 second
      setTimeout(() => monitorJob(jobId), 1000);
    }
  }
}

curl http://localhost:3000/api/jobs/1234567890-abc123 | jq

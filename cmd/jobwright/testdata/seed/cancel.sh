curl -X POST http://localhost:3000/api/jobs/1234567890-abc123 \
  -H "Content-Type: application/json" \
  -d '{"action":"cancel"}' | jq

curl http://localhost:3000/api/jobs | jq

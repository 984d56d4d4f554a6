curl -X POST http://localhost:3000/api/jobs \
  -H "Content-Type: application/json" \
  -H "Cookie: active_workspace=workspace-id" \
  -d '{
    "type": "build",
    "payload": {
      "action": "apply_builder",
      "id": "quota-check-lib",
      "variables": {}
    }
  }' | jq

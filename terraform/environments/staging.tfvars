# Like production, smaller. Replace the example addresses.
environment = "staging"

identity = {
  invokers     = ["group:developers@example.com"]
  invoker_role = "developer"
}
alerts = {
  emails = ["platform@example.com"]
}
backups = {
  retention_days = 3
}
agent_job = {
  max_running   = 10
  timeout_hours = 8
}

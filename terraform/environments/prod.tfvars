# Replace the example addresses. What each choice costs stands in README.md, "What it costs".
environment = "prod"
audit_logs  = true

identity = {
  invokers     = ["group:developers@example.com"]
  invoker_role = "developer"
}
# Add autonomy_slo = true once a first run has ended.
alerts = {
  emails = ["oncall@example.com"]
}
backups = {
  retention_days = 30
}
agent_job = {
  max_running   = 20
  timeout_hours = 24
}
# S-19: no submission and no webhook waits for an instance to start.
warm_instances = {
  intake   = 1
  webhooks = 1
}

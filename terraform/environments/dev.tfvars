# What can be lost: no backups, and destroy works at once. project_id, region and agent_image are given with the command.
environment         = "dev"
deletion_protection = false
log_level           = "DEBUG"

backups = {
  point_in_time_recovery = false
  retention_days         = 0
}
agent_job = {
  max_running   = 5
  timeout_hours = 2
}

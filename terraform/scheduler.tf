resource "google_service_account" "scheduler" {
  account_id   = "${var.prefix}-scheduler"
  display_name = "Penstock: Cloud Scheduler as caller of sweep"
  depends_on   = [google_project_service.service]
}

# What was lost is asked for again, each minute.
resource "google_cloud_scheduler_job" "sweep" {
  name             = "${var.prefix}-sweep"
  region           = var.region
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "300s"

  http_target {
    http_method = "POST"
    uri         = "${module.function["sweep"].uri}/internal/sweep"
    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = module.function["sweep"].uri
    }
  }
  # The next minute comes anyway.
  retry_config {
    retry_count = 0
  }

  depends_on = [google_project_service.service]
}

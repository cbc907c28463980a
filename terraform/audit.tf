# Who read and wrote what. Who changed the set-up is always kept by Google.
resource "google_project_iam_audit_config" "data" {
  for_each = var.audit_logs ? toset(["datastore.googleapis.com", "secretmanager.googleapis.com", "storage.googleapis.com"]) : toset([])

  project = var.project_id
  service = each.value

  audit_log_config {
    log_type = "DATA_READ"
  }
  audit_log_config {
    log_type = "DATA_WRITE"
  }

  depends_on = [google_project_service.service]
}

# One function with its account, what that account may do, who may call it, and the subscription that feeds it.

resource "google_service_account" "function" {
  account_id   = var.account_id
  display_name = "Penstock: ${var.name}"
}

# Named by what is in it: a new archive is a new deployment, the same one is none.
resource "google_storage_bucket_object" "archive" {
  name   = "${var.name}/${filesha256(var.archive)}.zip"
  bucket = var.sources
  source = var.archive

  # A function names its archive until it is deployed with the next one.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_cloudfunctions2_function" "function" {
  name         = var.name
  location     = var.region
  kms_key_name = var.key

  build_config {
    runtime           = "nodejs24"
    entry_point       = var.name
    service_account   = var.build.account
    docker_repository = var.build.repository
    source {
      storage_source {
        bucket = google_storage_bucket_object.archive.bucket
        object = google_storage_bucket_object.archive.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.function.email
    available_cpu                    = "1"
    available_memory                 = var.settings.memory
    timeout_seconds                  = var.settings.timeout_seconds
    max_instance_request_concurrency = var.settings.concurrency
    min_instance_count               = var.min_instances
    max_instance_count               = var.settings.max_instances
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true
    environment_variables            = var.environment

    dynamic "secret_environment_variables" {
      for_each = var.secrets
      content {
        key        = secret_environment_variables.key
        project_id = var.project_id
        secret     = secret_environment_variables.value.id
        # By number, so that a rotated secret is a new deployment.
        version = secret_environment_variables.value.version
      }
    }
  }

  # An instance reads its secrets when it starts.
  depends_on = [google_secret_manager_secret_iam_member.function]
}
